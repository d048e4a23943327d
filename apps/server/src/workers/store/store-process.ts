/**
 * The process of the store: it reads the blocks that workers want to be in the log, stores them in groups, and appends them
 * to the log that all workers read. It serves no client and decides nothing; whoever is killed, it or a worker, what was shown
 * to anybody is in the folder.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type LogCondition, type Logger, ServerError, ServerErrorCode } from '@chat/server';
import { type BlockStore, openBlockStore } from '@chat/server/sqlite';
import type { Log, LogReader } from '@chat/shm';
import { Registry } from 'prom-client';
import type { DataOptions } from '../../command-line/args.js';
import { registerStoreMetrics } from '../../metrics/store-metrics.js';
import { obeySupervisor, tellSupervisor as tell } from '../carrier/carrier-process.js';
import { encodeRecord, handedOnIn, type StreamRecord } from '../carrier/stream-record.js';
import type { StoreAnswer, StoreWish, ToCarrier } from '../messages.js';
import { placeOf } from '../place.js';

/** Blocks of one transaction, at the most. */
const BLOCKS_PER_GROUP = 64;
/** A full disk is looked at again after this. */
const RETRY_MS = 1000;

/**
 * Runs the store until the supervisor has it leave, or is gone.
 *
 * @throws ServerError when the folder cannot be opened
 */
export async function runStore(options: DataOptions, logger: Logger): Promise<void> {
  const { log, wanted = '', capacityBytes, epoch } = placeOf();
  const { openLog } = await import('@chat/shm');
  const { onStoreFailure: _, ...settings } = options;
  const store = openBlockStore(settings);
  const open = (name: string): Log => openLog(name, { capacityBytes, keepAlive: true });
  const part = new StoreProcess(store, open(log), open(wanted), logger);
  const { driver, durability } = store;
  logger.info(
    { directory: options.directory, driver, durability, epoch: store.epoch, pid: process.pid },
    'the data folder is open',
  );
  if (store.loss) {
    const message =
      'entries that were promised are gone: positions begin anew, and clients are told of a gap';
    logger.error({ loss: store.loss }, message);
  }
  await part.begin(epoch === '');
  tell({ kind: 'carrier-open', epoch: store.epoch });
  await part.run();
}

class StoreProcess {
  readonly #store: BlockStore;
  readonly #stream: Log;
  readonly #wanted: Log;
  readonly #reader: LogReader;
  readonly #logger: Logger;
  readonly #register: Registry = new Registry();
  /** As workers were told. */
  condition: LogCondition = { state: 'open' };

  constructor(store: BlockStore, stream: Log, wanted: Log, logger: Logger) {
    this.#store = store;
    this.#stream = stream;
    this.#wanted = wanted;
    this.#logger = logger;
    this.#reader = wanted.reader({ start: 'next', reliable: true });
    const self = this;
    registerStoreMetrics(this.#register, {
      stats: async () => store.stats(),
      get condition() {
        return self.condition;
      },
    });
    obeySupervisor([stream, wanted], (message) => this.#obey(message));
  }

  /** Goes on where the last life of the chat ended, or where another process of the store was killed. */
  async begin(isFirst: boolean): Promise<void> {
    if (isFirst) {
      const { error } = this.#store.declareAllGone(Date.now());
      if (error) throw error;
      return;
    }
    for (const block of this.#store.goOnAfter(handedOnIn(this.#stream) ?? 0)) {
      await this.#append({ kind: 'block', ...block });
    }
    // What the one before had read and not stored comes again, to this reader.
    await this.#append({ kind: 'resend' });
  }

  /** Stores group after group. */
  async run(): Promise<void> {
    while (await this.#reader.readable()) {
      const group: Uint8Array[] = [];
      this.#reader.read((bytes, start, end) => group.push(bytes.slice(start, end)), BLOCKS_PER_GROUP);
      if (group.length > 0 && this.condition.state !== 'failed') await this.#write(group);
    }
    await this.#store.close();
    this.#stream.close();
    this.#wanted.close();
    process.exit(0);
  }

  async #write(group: readonly Uint8Array[]): Promise<void> {
    const outcome = this.#store.write(group);
    if (!outcome.error) {
      for (const block of outcome.blocks) await this.#append({ kind: 'block', ...block });
      return;
    }
    const { code, message: reason } = outcome.error;
    if (code !== ServerErrorCode.StoreFull) {
      // Nobody can say what is on the disk: those who wait for the group learn it after a restart.
      this.#logger.error({ reason }, 'the store has failed: restart the server');
      await this.#tell({ state: 'failed', reason });
      return;
    }
    for (const { origin, number } of outcome.refused) {
      await this.#append({ kind: 'refused', origin, number, reason });
    }
    if (this.condition.state === 'full') return;
    await this.#tell({ state: 'full', reason });
    void this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    do await pause(RETRY_MS);
    while (!this.#store.makeRoom());
    await this.#tell({ state: 'open' });
  }

  async #tell(condition: LogCondition): Promise<void> {
    this.condition = condition;
    await this.#append({ kind: 'condition', condition });
  }

  /** Waits for the slowest worker, if it has to: the supervisor does not let it be slow for long. */
  async #append(record: StreamRecord): Promise<void> {
    const bytes = encodeRecord(record);
    if (this.#stream.tryAppend(bytes) === undefined) await this.#stream.append(bytes);
  }

  async #obey(message: ToCarrier): Promise<void> {
    switch (message.kind) {
      case 'snapshot-wanted':
        return tell({ kind: 'snapshot', by: message.by, snapshot: this.#store.snapshot() });
      case 'store-asked':
        return tell({ kind: 'store-answered', id: message.id, answer: await this.#answer(message.wish) });
      case 'metrics-wanted':
        return tell({ kind: 'metrics', id: message.id, text: await this.#register.metrics() });
      case 'leave':
        return this.#reader.close();
      case 'ping':
        return tell({ kind: 'pong' });
      case 'processes':
      case 'snapshot-made':
        // Only the process that speaks with NATS is told these.
        return;
    }
  }

  async #answer(wish: StoreWish): Promise<StoreAnswer> {
    const { store } = this.#store;
    try {
      if (wish.kind === 'search') return { value: await store.search(wish.query, wish.scope) };
      return { value: await store.remove(wish.removal) };
    } catch (error) {
      const { code, message } = ServerError.is(error)
        ? error
        : { code: ServerErrorCode.StoreFailed, message: String(error) };
      return { error: { code, message } };
    }
  }
}
