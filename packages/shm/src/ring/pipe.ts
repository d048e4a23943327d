/**
 * Messages to send and to receive: what a ring, which is one direction, and a channel, which is one each way, have in common.
 *
 * `try…` never waits and answers "full" or "empty"; `send`, `receive` and loops wait in the event loop. While both sides are busy a message
 * costs no system call; a side with nothing to do sleeps and is rung for. The ends are `writer.ts` and `reader.ts`; who may be which is up to the
 * structure, which makes the ends when they are first used.
 */
import { ShmError } from '../errors.js';
import { Handle, type HandleEvents } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { Content } from '../record/codec.js';
import {
  distanceBytes,
  HEAD_WORD,
  maxRecordBytes,
  READABLE_WORD,
  TAIL_WORD,
  WAKE_FREE_SHARE,
  WRITABLE_WORD,
} from '../record/layout.js';
import type { RecordOptions } from '../record/options.js';
import type { RecordArea } from '../record/records.js';
import { Counter, type Counters } from '../segment/counters.js';
import type { Segment } from '../segment/segment.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import { WaitPoint } from '../waiting/wait-point.js';
import { WaitQueue } from '../waiting/wait-queue.js';
import type { SyncOptions, WaitOptions } from '../waiting/waiting.js';
import { Messages, type MessagesHost, type MessagesOptions } from './messages.js';
import { type MessageHandler, RingReader } from './reader.js';
import { RingWriter } from './writer.js';

/** Where the two directions lie, and the bits by which their sleepers are told apart: see waiting/wait-point.ts. */
export interface PipePlace {
  /** First word of the ring that is written, and of the one that is read. */
  readonly out: number;
  readonly incoming: number;
  readonly readable: number;
  readonly writable: number;
  readonly peerReadable: number;
  readonly peerWritable: number;
}

/** After so many batches that were at hand the event loop gets a turn: in a flood there is always one more. */
const BATCHES_PER_TURN = 16;
const SENT: Promise<void> = Promise.resolve();

/** A handle on messages. */
export abstract class Pipe<
    T = Uint8Array,
    Events extends HandleEvents & Record<keyof Events, unknown[]> = HandleEvents,
  >
  extends Handle<Events>
  implements AsyncIterable<T>
{
  readonly capacityBytes: number;
  /** Longest message, as bytes. */
  readonly maxMessageBytes: number;
  readonly #what: string;
  readonly #words: Int32Array;
  readonly #out: RecordArea;
  readonly #incoming: RecordArea;
  readonly #content: Content<T>;
  readonly #counters: Counters;
  /** What this side waits for, and what the other one does. */
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #peerReadable: WaitPoint;
  readonly #peerWritable: WaitPoint;
  /** The hint of the other side's reader, for the busy path. */
  readonly #peerReadableHint: number;
  readonly #wakeUsedBytes: number;
  readonly #queue: WaitQueue<void>;
  readonly #turns = new TurnCounter(BATCHES_PER_TURN);
  #writer: RingWriter | undefined;
  #reader: RingReader | undefined;
  readonly #loops: MessagesHost<T> = {
    open: () => !this.closed && (this.#reader ?? this.#becomeReader()) !== undefined,
    take: () => this.#reader && this.#take(this.#reader),
    release: () => this.release(),
    readable: (options) => this.readable(options),
    rewind: () => this.#reader?.rewind(),
    loopingError: () =>
      new ShmError('ERR_SHM_BUSY', `a loop over the messages of the ${this.#what} ${this.name} is running`),
  };

  /** @internal */
  constructor(segment: Segment, what: string, place: PipePlace, { codec, maxQueuedBytes }: RecordOptions<T>) {
    super(segment, what);
    const [capacityBytes = 0] = segment.params;
    const { words, bytes, name } = segment;
    this.capacityBytes = capacityBytes;
    this.maxMessageBytes = maxRecordBytes(capacityBytes);
    this.#what = what;
    this.#words = words;
    this.#out = { words, bytes, base: place.out, capacityBytes, name: `${what} ${name}` };
    this.#incoming = { ...this.#out, base: place.incoming };
    this.#content = new Content(codec, 'a message', this.maxMessageBytes, `maxMessageBytes of ${name}`);
    this.#counters = segment.counters;
    this.#readable = new WaitPoint(segment, place.incoming + READABLE_WORD, place.readable);
    this.#writable = new WaitPoint(segment, place.out + WRITABLE_WORD, place.writable);
    this.#peerReadable = new WaitPoint(segment, place.out + READABLE_WORD, place.peerReadable);
    this.#peerWritable = new WaitPoint(segment, place.incoming + WRITABLE_WORD, place.peerWritable);
    this.#peerReadableHint = place.out + READABLE_WORD;
    this.#wakeUsedBytes = capacityBytes * (1 - WAKE_FREE_SHARE);
    this.#queue = new WaitQueue<void>(
      {
        waiting: this.waiting,
        point: this.#writable,
        send: (message) => (this.#tryStage(message) ? { result: undefined } : undefined),
        sent: () => this.publish(),
      },
      maxQueuedBytes,
    );
  }

  /** Bytes that were sent and not yet read, padding and headers included. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get unreadBytes(): number {
    this.assertOpen();
    const { base } = this.#out;
    return distanceBytes(load(this.#words, base + TAIL_WORD), load(this.#words, base + HEAD_WORD));
  }

  /**
   * Sends a message if there is room for it, whether or not anybody is there to read it.
   *
   * @returns false when there is no room, or {@link send}s wait for it.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`; of a ring `ERR_SHM_ROLE_TAKEN` while another writer
   * is not proven dead
   */
  trySend(message: T): boolean {
    return this.#trySend(this.#content.encode(message));
  }

  /**
   * Copies a message into shared memory without showing it yet: {@link publish}, or the next {@link trySend}, shows all of them
   * together, for much less than one at a time. Messages that were not published are gone with this handle.
   *
   * @returns false when there is no room, or {@link send}s wait for it.
   * @throws {@link ShmError} as {@link trySend}
   */
  tryStage(message: T): boolean {
    const bytes = this.#content.encode(message);
    return this.#queue.isEmpty && this.#tryStage(bytes);
  }

  /** Shows everything staged to the other side. @throws {@link ShmError} as {@link trySend} */
  publish(): void {
    this.#writing().publish();
    this.waiting.signal(this.#peerReadable);
  }

  /**
   * Reserves room for a message of `length` bytes, to be filled in place, then {@link commit} or {@link abort}.
   *
   * @returns a view of shared memory, borrowed until then, whose content is undefined; or undefined when there is no room now.
   * @throws {@link ShmError} as {@link trySend}; `RangeError`, `TypeError` when a claim is open
   */
  tryClaim(length: number): Uint8Array | undefined {
    return this.#writing().tryClaim(length);
  }

  /** Sends the claimed message, and everything staged before it. @throws `TypeError` without a claim */
  commit(): void {
    this.#writing().commit();
    this.#counters.add(Counter.sent);
    this.waiting.signal(this.#peerReadable);
  }

  /** Gives the claim up: nothing is sent. @throws `TypeError` without a claim */
  abort(): void {
    this.#writing().abort();
  }

  /**
   * Sends a message, and waits for room as long as there is none. Messages go in the order of the calls; bytes must not change
   * until then.
   *
   * @throws {@link ShmError} as {@link trySend}; `ERR_SHM_QUEUE_FULL`; the reason of `signal`, in which case the message was not sent
   */
  send(message: T, options?: WaitOptions): Promise<void> {
    try {
      assertOptions(options, 'send');
      options?.signal?.throwIfAborted();
      const bytes = this.#content.encode(message);
      if (this.#trySend(bytes)) return SENT;
      return this.#queue.push(bytes, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits until there is room for a message of `length` bytes, by default the longest: `while (!pipe.trySend(m)) await pipe.writable(m.length)`.
   *
   * @returns false when it was closed.
   * @throws {@link ShmError} as {@link trySend}; `RangeError` for a length that never fits; the reason of `signal`
   */
  async writable(length: number = this.maxMessageBytes, options: WaitOptions = {}): Promise<boolean> {
    assertOptions(options, 'writable');
    if (!(length >= 0 && length <= this.maxMessageBytes)) {
      throw new RangeError(`length is 0 to maxMessageBytes ${this.maxMessageBytes}, not ${length}`);
    }
    options.signal?.throwIfAborted();
    if (this.closed) return false;
    this.#writing();
    const hasRoom = (): boolean => this.#queue.isEmpty && this.#writer?.hasRoom(length) !== false;
    await this.#turns.until(hasRoom, () => this.waiting.until(this.#writable, hasRoom, options.signal));
    return !this.closed;
  }

  /**
   * Hands at most `limit` waiting messages to `handler`, oldest first, as bytes in place, and then marks them as read. Should this process be
   * killed before that, its successor gets them again. When the handler throws, the messages before are read, and the one
   * it threw at comes again.
   *
   * @returns how many there were.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`, `ERR_SHM_BUSY` while a loop over the messages runs; of a ring
   * `ERR_SHM_ROLE_TAKEN` while another reader is not proven dead
   */
  read(handler: MessageHandler, limit?: number): number {
    const count = this.#reading().read(handler, limit);
    if (this.closed) return count;
    this.#counters.add(Counter.received, count);
    this.#signalRoom();
    return count;
  }

  /**
   * Takes the next message, which counts as unread until {@link release}: that is what lets a successor have it again.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} as {@link read}; `ERR_SHM_PAYLOAD` when the codec cannot decode it: it is taken all the same
   */
  take(): T | undefined {
    return this.#take(this.#reading());
  }

  /** Marks everything taken as read. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  release(): void {
    (this.#reader ?? this.#becomeReader()).release();
    this.#signalRoom();
  }

  /**
   * Takes the next message and marks it as read, also when it cannot be decoded.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} as {@link take}
   */
  tryReceive(): T | undefined {
    const reader = this.#reading();
    try {
      return this.#take(reader);
    } finally {
      this.release();
    }
  }

  /**
   * Waits for the next message and marks it as read.
   *
   * @returns undefined when it was closed; with `endWithPeer` also when the peer is gone and everything is read.
   * @throws {@link ShmError} as {@link take}; the reason of `signal`
   */
  async receive(options?: MessagesOptions): Promise<T | undefined> {
    assertOptions(options, 'receive');
    while (await this.readable(options)) {
      const message = this.tryReceive();
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /**
   * Waits until there is a message: the efficient way to read in batches, as `while (await channel.readable()) channel.read(…)`.
   * The event loop gets a turn now and then, also when there always is one.
   *
   * @returns false when it was closed, or when the peer is gone, everything is read, and `endWithPeer` is set.
   * @throws {@link ShmError} as {@link read}; the reason of `signal`
   */
  async readable(options?: MessagesOptions): Promise<boolean> {
    assertOptions(options, 'readable');
    const signal = options?.signal;
    const endWithPeer = options?.endWithPeer === true;
    signal?.throwIfAborted();
    if (this.closed) return false;
    const reader = this.#reader ?? this.#becomeReader();
    const isOver = (): boolean => reader.available || (endWithPeer && this.peerIsGone);
    const waits = this.#turns.until(isOver, () => this.waiting.until(this.#readable, isOver, signal));
    if (waits !== undefined) await waits;
    // Another task of this handle may have taken what came: that is not the end.
    return !this.closed && (reader.available || !isOver());
  }

  /**
   * Waits until there is a message, with the thread blocked: for worker threads.
   *
   * @returns false when the time was up.
   * @throws {@link ShmError} as {@link read}
   */
  readableSync(options: SyncOptions = {}): boolean {
    assertOptions(options, 'readableSync');
    const reader = this.#reading();
    return this.waiting.untilSync(this.#readable, () => reader.available, options.timeoutMs);
  }

  /**
   * The messages of the other side, as they come, each at least once. Asking for the next one marks the one before as read. A loop that is left
   * by an error or `break` has not read the message at hand, which comes again; `release()` before the `break` marks it. One that cannot be
   * decoded ends the loop with `ERR_SHM_PAYLOAD`, and does not come again. One loop at a time, and no other reads beside it: the second is
   * refused with `ERR_SHM_BUSY`. Ends when it is closed.
   */
  messages(options: MessagesOptions = {}): AsyncIterableIterator<T> {
    assertOptions(options, 'messages');
    return new Messages<T>(this.#loops, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.messages();
  }

  /** Claims the right to write, or to read. Called once each, before the end is made. @internal */
  protected claim(_end: 'writer' | 'reader'): void {}

  /** Whether nobody is there who could send. @internal */
  protected get peerIsGone(): boolean {
    return false;
  }

  /** Which ends this handle has. @internal */
  protected get ends(): { readonly writes: boolean; readonly reads: boolean } {
    return { writes: this.#writer !== undefined, reads: this.#reader !== undefined };
  }

  /** Makes the ends before they are used. @internal */
  protected openEnds(): void {
    this.#becomeWriter();
    this.#becomeReader();
  }

  /** @internal */
  protected override leave(): void {
    this.#reader?.close();
    this.#queue.rejectAll(this.closedError());
    this.#writer = undefined;
    this.#reader = undefined;
  }

  #take(reader: RingReader): T | undefined {
    const bytes = reader.take();
    if (bytes === undefined) return undefined;
    this.#counters.add(Counter.received);
    return this.#content.decode(bytes);
  }

  #tryStage(bytes: Uint8Array): boolean {
    if (!this.#writing().tryStage(bytes)) return false;
    this.#counters.add(Counter.sent);
    return true;
  }

  #trySend(bytes: Uint8Array): boolean {
    if (!this.#queue.isEmpty || !this.#writing().tryWrite(bytes)) return false;
    this.#counters.add(Counter.sent);
    if (load(this.#words, this.#peerReadableHint) !== 0) this.waiting.signal(this.#peerReadable);
    return true;
  }

  /** Rings for a writer that waits, once there is so much room that it does not wake for each message. */
  #signalRoom(): void {
    if (!this.#peerWritable.mayHaveSleepers) return;
    if ((this.#reader?.usedBytes ?? 0) <= this.#wakeUsedBytes) this.waiting.signal(this.#peerWritable);
  }

  #writing(): RingWriter {
    return this.#writer ?? this.#becomeWriter();
  }

  #reading(): RingReader {
    if (this.#loops.loop !== undefined) throw this.#loops.loopingError();
    return this.#reader ?? this.#becomeReader();
  }

  #becomeWriter(): RingWriter {
    this.assertOpen();
    this.claim('writer');
    this.#writer = new RingWriter(this.#out);
    return this.#writer;
  }

  #becomeReader(): RingReader {
    this.assertOpen();
    this.claim('reader');
    this.#reader = new RingReader(this.#incoming);
    return this.#reader;
  }
}
