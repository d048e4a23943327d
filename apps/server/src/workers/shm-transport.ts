/**
 * Blocks through a log in shared memory: every worker reads every block once, and its reader is reliable, so that none is
 * overtaken. A worker that does not read holds the others up once the log is full; the supervisor ends it before long.
 */
import type { BlockReceiver, BlockTransport, OpenedStream } from '@chat/server';
import type { Log, LogReader } from '@chat/shm';

/** Blocks that are read before the event loop gets a turn. */
const BLOCKS_PER_TURN = 32;

/** What a worker learns of the past when it comes. */
export type Join = (position: number) => Promise<Omit<OpenedStream, 'epoch'>>;

export class ShmTransport implements BlockTransport {
  readonly #log: Log;
  readonly #to: Log;
  readonly #reader: LogReader;
  readonly #epoch: string;
  readonly #join: Join;
  #receiver: BlockReceiver | undefined;
  #isReading = false;
  #isClosed = false;
  /** Told after blocks were delivered. */
  onProgress: (() => void) | undefined;
  /** Told when the log cannot be used any more. */
  onFailed: (() => void) | undefined;

  /**
   * @param log closed with the transport
   * @param epoch names the life of the log
   * @param join asked for what came before the position from which on this transport reads
   * @param to where blocks are sent, if somebody has to hand them on; closed with the transport as well
   */
  constructor(log: Log, epoch: string, join: Join, to: Log = log) {
    this.#log = log;
    this.#to = to;
    this.#epoch = epoch;
    this.#join = join;
    this.#reader = log.reader({ start: 'next', reliable: true });
  }

  /** Number of the record that was read last. */
  get read(): number {
    return this.#reader.next - 1;
  }

  async open(): Promise<OpenedStream> {
    return { epoch: this.#epoch, ...(await this.#join(this.#log.last)) };
  }

  start(receiver: BlockReceiver): void {
    this.#receiver = receiver;
    void this.#run();
  }

  send(block: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      if (this.#to.tryAppend(block) === undefined) {
        // A reader has to make room first, or another writer is at it.
        this.#to.append(block).then(
          () => this.#readOwn(),
          (error: unknown) => this.#fail(error),
        );
        return;
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#readOwn();
  }

  close(): void {
    this.#leave();
    this.#log.close();
    this.#to.close();
  }

  /** Closes it, and gives its name up: nobody is left who would. */
  abandon(): void {
    this.#leave();
    for (const log of new Set([this.#log, this.#to])) {
      if (log.closed) continue;
      log.unlink();
      log.close();
    }
  }

  /** Hands on what was read: a block, unless somebody stands between. */
  protected deliver(receiver: BlockReceiver, bytes: Uint8Array, number: number): void {
    receiver.block(number, bytes);
  }

  #leave(): void {
    this.#isClosed = true;
    this.#receiver = undefined;
    this.#reader.close();
  }

  /** Delivers as far as there is something, up to a bound. What was just sent is there already: nobody has to be woken. */
  #readOwn(): void {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    try {
      this.#reader.read((bytes, start, end, number) => {
        if (this.#receiver) this.deliver(this.#receiver, bytes.subarray(start, end), number);
      }, BLOCKS_PER_TURN);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReading = false;
    }
    this.onProgress?.();
  }

  async #run(): Promise<void> {
    try {
      while (await this.#reader.readable()) this.#readOwn();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const reason = `the log in shared memory: ${error instanceof Error ? error.message : String(error)}`;
    this.#receiver?.condition({ state: 'failed', reason });
    this.onFailed?.();
  }
}
