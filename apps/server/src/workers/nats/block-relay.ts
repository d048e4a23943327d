/**
 * What stands between the workers of a machine and the stream that many machines share. Blocks that workers want to be said
 * go to the stream, and what comes from the stream goes to the log that all workers read, in its order and once: also when
 * this process is killed and another one goes on, which knows from the log itself how far it got.
 *
 * It applies nothing. A snapshot for the stream is made by a worker, at the place of the log at which it is asked for.
 */
import type { BlockSnapshot, LogCondition } from '@chat/server';
import type { NatsRelay, NatsRelayReceiver } from '@chat/server/nats';
import type { Log, LogReader } from '@chat/shm';
import { encodeRecord, type StreamRecord } from '../carrier/stream-record.js';
import type { FromCarrier, ToCarrier } from '../messages.js';

/** Blocks that are sent before the event loop gets a turn. */
const BLOCKS_PER_TURN = 32;

/** The stream, as it is needed here. */
export type Upstream = Pick<NatsRelay, 'epoch' | 'snapshot' | 'start' | 'speakFor' | 'send' | 'close'>;

export interface BlockRelayOptions {
  /** Read by all workers. */
  readonly stream: Log;
  /** Written by them. */
  readonly wanted: Log;
  /** Whether another process has handed on blocks of these logs before. */
  readonly goesOn: boolean;
  /** Tells the supervisor. */
  tell(message: FromCarrier): void;
  /** Told when this process cannot go on; another one can. */
  onFailed(reason: string): void;
}

export class BlockRelay implements NatsRelayReceiver {
  readonly #upstream: Upstream;
  readonly #options: BlockRelayOptions;
  readonly #reader: LogReader;
  /** The worker that was asked for a snapshot, until it has answered. */
  #asked:
    | { readonly process: number; readonly resolve: (snapshot: BlockSnapshot | undefined) => void }
    | undefined;
  #isStarted = false;
  #isFailed = false;
  #condition: LogCondition = { state: 'open' };

  /** @param upstream which begins behind what was handed on before */
  constructor(upstream: Upstream, options: BlockRelayOptions) {
    this.#upstream = upstream;
    this.#options = options;
    this.#reader = options.wanted.reader({ start: 'next', reliable: true });
    if (!options.goesOn) return;
    this.#start();
    // What workers were told of the condition may be over; what the process before had read and not sent comes again.
    this.#append({ kind: 'condition', condition: this.#condition });
    this.#append({ kind: 'resend' });
  }

  /** Whether blocks come and go, as workers were told. */
  get isOpen(): boolean {
    return this.#condition.state === 'open';
  }

  /** Sends what workers want, until it is told to leave. */
  async run(): Promise<void> {
    while (await this.#reader.readable()) {
      this.#reader.read((bytes, start, end) => this.#upstream.send(bytes.slice(start, end)), BLOCKS_PER_TURN);
    }
    await this.#upstream.close();
  }

  obey(message: ToCarrier): void {
    switch (message.kind) {
      case 'snapshot-wanted':
        this.#begin(message.by);
        return;
      case 'processes':
        this.#upstream.speakFor(message.processes);
        if (this.#asked && !message.processes.includes(this.#asked.process)) this.#answered(undefined);
        return;
      case 'snapshot-made':
        if (this.#asked?.process === message.process) this.#answered(message.snapshot);
        return;
      case 'leave':
        this.#reader.close();
        return;
      default:
        return;
    }
  }

  // ── from the stream ──

  block(position: number, bytes: Uint8Array): void {
    this.#append({ kind: 'block', position, bytes });
  }

  condition(condition: LogCondition): void {
    this.#condition = condition;
    this.#append({ kind: 'condition', condition });
    if (condition.state === 'failed') this.#fail(condition.reason);
  }

  gone(process: number): void {
    this.#options.tell({ kind: 'gone', process });
  }

  snapshot(process: number): Promise<BlockSnapshot | undefined> {
    this.#answered(undefined);
    this.#append({ kind: 'snapshot', process });
    return new Promise((resolve) => {
      this.#asked = { process, resolve };
    });
  }

  /** The first worker of these logs reads them from here on: it is told what came before the first block. */
  #begin(by: number): void {
    const { snapshot } = this.#upstream;
    if (this.#isStarted) return;
    this.#append({ kind: 'begins', position: snapshot?.position ?? 0 });
    this.#options.tell({ kind: 'snapshot', by, ...(snapshot ? { snapshot } : {}) });
    this.#start();
  }

  #start(): void {
    this.#isStarted = true;
    this.#upstream.start(this);
  }

  #answered(snapshot: BlockSnapshot | undefined): void {
    this.#asked?.resolve(snapshot);
    this.#asked = undefined;
  }

  /** In the order of the calls; waits for the slowest worker, which the supervisor does not let be slow for long. */
  #append(record: StreamRecord): void {
    if (this.#isFailed) return;
    const bytes = encodeRecord(record);
    const { stream } = this.#options;
    try {
      if (stream.tryAppend(bytes) !== undefined) return;
      stream.append(bytes).catch((error: unknown) => this.#fail(String(error)));
    } catch (error) {
      this.#fail(String(error));
    }
  }

  /** Nothing is handed on behind what could not be. */
  #fail(reason: string): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.#options.onFailed(reason);
  }
}
