/**
 * Writes a snapshot now and then: the process that has been here for longest, of those that are heard. Should two do it,
 * the second one finds that there is one already. What the older of the two newest snapshots knows is taken out of the
 * stream, if it may be.
 */
import type { BlockSnapshot } from '../../log/shared/block-transport.js';
import type { NatsContext } from '../nats-context.js';
import type { StreamEpoch } from '../stream/epochs.js';
import type { StreamMark } from './encoding.js';
import { type SnapshotIndex, SnapshotStore } from './store.js';

/** A snapshot that could not be written is tried again after this. */
const RETRY_MS = 10_000;

export interface SnapshotWriterOptions {
  /** A snapshot is due when this many messages have come since the newest one. */
  readonly everyBlocks: number;
  /** Whether what is in two snapshots is taken out of the stream. */
  readonly trim: boolean;
  readonly epoch: StreamEpoch;
  /** Whether this process is the one that writes. */
  isOldest(): boolean;
  /** Where the stream is read to. */
  mark(): StreamMark;
  /** What a log knows at this moment, which is behind that message; `undefined` where nobody can say. */
  take(): BlockSnapshot | Promise<BlockSnapshot | undefined>;
  warn(problem: string): void;
}

export class SnapshotWriter {
  readonly #context: NatsContext;
  readonly #options: SnapshotWriterOptions;
  readonly #store: SnapshotStore;
  #newest: number;
  #isWriting = false;
  #notBefore = 0;

  /** @param newest position of the newest snapshot that is known */
  constructor(context: NatsContext, newest: number, options: SnapshotWriterOptions) {
    this.#context = context;
    this.#options = options;
    this.#store = new SnapshotStore(context);
    this.#newest = newest;
  }

  /** Somebody wrote one. */
  written(position: number): void {
    this.#newest = Math.max(this.#newest, position);
  }

  /** A message has come, and was applied. */
  passed(seq: number): void {
    const { everyBlocks, isOldest } = this.#options;
    if (seq - this.#newest < everyBlocks || this.#isWriting || !isOldest()) return;
    if (this.#context.clock.monotonic() < this.#notBefore) return;
    void this.#write();
  }

  async #write(): Promise<void> {
    const { epoch, mark, take, warn } = this.#options;
    this.#isWriting = true;
    try {
      const { position, signature, sum, begun } = mark();
      const blocks = await take();
      if (!blocks) throw new Error('no process of this machine has made one');
      const index = await this.#store.write(
        { blocks: { ...blocks, position }, sum, begun },
        epoch,
        signature,
      );
      this.written(index.entries[0]?.position ?? 0);
      await this.#trim(index);
    } catch (error) {
      this.#notBefore = this.#context.clock.monotonic() + RETRY_MS;
      if (!this.#context.connection.isClosed()) {
        warn(`a snapshot could not be written: ${(error as Error).message}`);
      }
    } finally {
      this.#isWriting = false;
    }
  }

  /** The message of the snapshot itself stays: it says whether it belongs to this stream. */
  async #trim({ entries }: SnapshotIndex): Promise<void> {
    const { trim, epoch } = this.#options;
    const [, former] = entries;
    if (!trim || !former || former.epoch.name !== epoch.name) return;
    const { manager, stream } = this.#context;
    await manager.streams.purge(stream, { seq: former.position });
  }
}
