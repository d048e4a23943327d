/**
 * A channel: two processes send each other messages, both ways, through shared memory; either may come first, leave, die and
 * come again.
 *
 * It is two rings. While both sides are busy a message costs what it costs in a ring, and no system call;
 * a side with nothing to do sleeps in its event loop and is rung for. Each of the two sides, `a` and `b`, is a word that names
 * its holder, who writes one ring and reads the other. A holder proven dead is replaced by whoever opens that side next, and he
 * goes on where it stopped.
 *
 * What can be promised about messages when processes are killed, honestly:
 *
 *     sent      `send` resolved, or `trySend` returned true: the message is in shared memory, and survives the sender.
 *     lost      never, as long as the segment lives: what nobody has read waits for a reader, this one or the next.
 *     torn      never: a message is seen whole or not at all.
 *     twice     at least once is the rule: a message counts as read when it was done with. `for await` is done with a message when it
 *               asks for the next one; the message at hand comes again when the loop is left by an error or `break`, or its process
 *               is killed. That is one message at most. A receiver whose effects must happen once keeps the number of the
 *               last message with its effects.
 */

import { ShmError } from '../errors.js';
import { Handle, type HandleEvents } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load, store } from '../platform/atomics.js';
import { checkBytes } from '../record/check.js';
import {
  checkCapacity,
  DEFAULT_CAPACITY_BYTES,
  maxMessageBytes,
  READER_WAITS_WORD,
  WAKE_FREE_SHARE,
  WRITER_WAITS_WORD,
} from '../ring/layout.js';
import { type MessageHandler, RingReader } from '../ring/reader.js';
import { type RingMemory, RingWriter } from '../ring/writer.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { claimRole, Role, releaseRole } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { type PeerState, PeerWatch } from '../waiting/peer-watch.js';
import { WaitPoint } from '../waiting/wait-point.js';
import { checkMaxQueuedBytes, type Queued, WaitQueue } from '../waiting/wait-queue.js';
import type { WaitOptions } from '../waiting/waiting.js';
import { channelBytes, FAREWELL_WORD, ringWord, SIDE_WORD } from './layout.js';
import { ChannelMessages, type MessagesOptions } from './messages.js';

/** One of the two ends of a channel. */
export type ChannelSide = 'a' | 'b';

/** Options of {@link openChannel}. */
export interface ChannelOptions extends OpenOptions {
  /**
   * Which end to be. Name it where a restarted process must go on where the dead one stopped.
   * @defaultValue `a` if nobody has it, else `b`
   */
  readonly side?: ChannelSide;
  /**
   * Bytes that can wait in each direction, 8 for the header of each message included: a power of two from 4096 to 2^29. An eighth of it
   * is the longest message. An existing channel must have the same if it is given.
   * @defaultValue 1048576
   */
  readonly capacityBytes?: number;
  /**
   * Bytes of messages that may wait for room in this process, 64 for each message included: {@link Channel.send} beyond it is refused.
   * @defaultValue 67108864
   */
  readonly maxQueuedBytes?: number;
  /**
   * Whether the open channel keeps the process alive, as a socket does.
   * @defaultValue false
   */
  readonly keepAlive?: boolean;
}

/** Events of a {@link Channel}, each with the process id of the peer. */
export interface ChannelEvents extends HandleEvents {
  /** Somebody has the other side. */
  'peer-attached': [pid: number];
  /** The other side was closed. */
  'peer-left': [pid: number];
  /** The process on the other side is dead. */
  'peer-died': [pid: number];
}

/** After so many batches that were at hand the event loop gets a turn: in a flood there is always one more. */
const BATCHES_PER_TURN = 16;
/** What the two sides sleep for, as bits. */
const READABLE_BIT = { a: 4, b: 16 } as const;
const WRITABLE_BIT = { a: 8, b: 32 } as const;
const SENT: Promise<void> = Promise.resolve();

/** One end of a channel. Made by {@link openChannel}. */
export class Channel extends Handle<ChannelEvents> {
  /** Which end this is. */
  readonly side: ChannelSide;
  /** Longest message. */
  readonly maxMessageBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #sideWord: number;
  readonly #farewellWord: number;
  readonly #peerWord: number;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  /** What this side waits for, and what the other one does. */
  readonly #readable: WaitPoint;
  readonly #peerReadable: WaitPoint;
  readonly #peerWritable: WaitPoint;
  /** Their hints, for the busy path. */
  readonly #peerReadableHint: number;
  readonly #peerWritableHint: number;
  readonly #wakeUsedBytes: number;
  readonly #queue: WaitQueue<void>;
  readonly #peer: PeerWatch;
  #loop: ChannelMessages | undefined;
  #batchesSinceTurn = 0;
  #closed = false;

  /** @internal */
  constructor(segment: Segment, side: ChannelSide, maxQueuedBytes?: number) {
    super(segment, 'channel');
    const [capacityBytes = 0] = segment.params;
    const base = segment.payloadOffset / WORD_BYTES;
    const other = side === 'a' ? 'b' : 'a';
    const { words, bytes, name } = segment;
    const out: RingMemory = { words, bytes, base: base + ringWord(side, capacityBytes), capacityBytes, name };
    const incoming: RingMemory = { ...out, base: base + ringWord(other, capacityBytes) };
    const pointAt = (ring: RingMemory, word: number, bit: number): WaitPoint =>
      new WaitPoint(segment, ring.base + word, bit);
    this.side = side;
    this.maxMessageBytes = maxMessageBytes(capacityBytes);
    this.#segment = segment;
    this.#words = words;
    this.#sideWord = base + SIDE_WORD[side];
    this.#farewellWord = base + FAREWELL_WORD[side];
    this.#peerWord = base + SIDE_WORD[other];
    this.#writer = new RingWriter(out);
    this.#reader = new RingReader(incoming);
    this.#readable = pointAt(incoming, READER_WAITS_WORD, READABLE_BIT[side]);
    this.#peerReadable = pointAt(out, READER_WAITS_WORD, READABLE_BIT[other]);
    this.#peerWritable = pointAt(incoming, WRITER_WAITS_WORD, WRITABLE_BIT[other]);
    this.#peerReadableHint = out.base + READER_WAITS_WORD;
    this.#peerWritableHint = incoming.base + WRITER_WAITS_WORD;
    this.#wakeUsedBytes = capacityBytes * (1 - WAKE_FREE_SHARE);
    this.#queue = new WaitQueue(
      {
        waiting: this.waiting,
        point: pointAt(out, WRITER_WAITS_WORD, WRITABLE_BIT[side]),
        flush: (queue) => this.#flush(queue),
      },
      maxQueuedBytes,
    );
    this.#peer = new PeerWatch(segment, {
      sideWord: this.#peerWord,
      farewellWord: base + FAREWELL_WORD[other],
      waiting: this.waiting,
      onChange: (peer) => this.#peerChanged(peer),
    });
    this.waiting.begin();
    this.#peer.check();
    // "I am here", to whoever has the other side.
    this.waiting.ringSlot(segment.participants.slotOf(load(words, this.#peerWord)));
    const found = this.#peer.state;
    // Nobody could listen yet; who is there already is news all the same.
    setImmediate(() => {
      if (!this.#closed && this.#peer.state === found) this.#peerChanged(found);
    }).unref();
  }

  /** The other side, as it was last seen: at once when it comes or leaves, within a second when it dies. */
  get peer(): PeerState {
    return this.#peer.state;
  }

  /** Bytes that this side has sent and the other has not yet read, padding and headers included. */
  get unreadBytes(): number {
    this.assertOpen();
    return this.#writer.usedBytes;
  }

  /**
   * Sends a message if there is room for it, whether or not anybody is there to read it.
   *
   * @returns false when there is no room, or {@link send}s wait for it.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  trySend(message: Uint8Array): boolean {
    if (this.#closed) this.#throwClosed();
    this.#check(message);
    if (this.#queue.length > 0 || !this.#writer.tryWrite(message)) return false;
    if (load(this.#words, this.#peerReadableHint) !== 0) this.#ringForMessages();
    return true;
  }

  /**
   * Copies a message into shared memory without showing it yet: {@link publish}, or the next {@link trySend}, shows all of them
   * together, for much less than one at a time.
   *
   * @returns false when there is no room, or {@link send}s wait for it.
   * @throws {@link ShmError} as {@link trySend}
   */
  tryStage(message: Uint8Array): boolean {
    if (this.#closed) this.#throwClosed();
    this.#check(message);
    return this.#queue.length === 0 && this.#writer.tryStage(message);
  }

  /** Shows everything staged to the other side. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  publish(): void {
    if (this.#closed) this.#throwClosed();
    this.#writer.publish();
    if (load(this.#words, this.#peerReadableHint) !== 0) this.#ringForMessages();
  }

  /**
   * Sends a message, and resolves when it is in shared memory; waits for room as long as there is none, with or without
   * somebody on the other side. Messages go in the order of the calls. The array must not change until then.
   *
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`; the reason of `signal`, in which case the message was not
   * sent
   */
  send(message: Uint8Array, options?: WaitOptions): Promise<void> {
    try {
      assertOptions(options, 'channel.send');
      options?.signal?.throwIfAborted();
      if (this.trySend(message)) return SENT;
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.push(message, options?.signal);
  }

  /**
   * Hands at most `limit` waiting messages to `handler`, oldest first, in place, and then marks them as read. Should this process be killed
   * before that, its successor gets them again. When the handler throws, the messages before are read, and the one
   * it threw at comes again.
   *
   * @returns how many there were.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  read(handler: MessageHandler, limit?: number): number {
    if (this.#closed) this.#throwClosed();
    if (this.#loop !== undefined) this.#throwLooping();
    const count = this.#reader.read(handler, limit);
    if (!this.#closed) this.#ringForSpace();
    return count;
  }

  /**
   * Takes the next message and marks it as read.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryReceive(): Uint8Array | undefined {
    const message = this.take();
    if (message !== undefined) this.release();
    return message;
  }

  /**
   * Waits for the next message and marks it as read.
   *
   * @returns undefined when the channel was closed; with `endWithPeer` also when the peer is gone and everything is read.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`; the reason of `signal`
   */
  async receive(options: MessagesOptions = {}): Promise<Uint8Array | undefined> {
    assertOptions(options, 'channel.receive');
    while (await this.readable(options)) {
      const message = this.tryReceive();
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /**
   * Takes the next message, which counts as unread until {@link release}: that is what lets a successor have it again.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  take(): Uint8Array | undefined {
    if (this.#closed) this.#throwClosed();
    if (this.#loop !== undefined) this.#throwLooping();
    return this.#reader.take();
  }

  /** Marks everything taken as read. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  release(): void {
    if (this.#closed) this.#throwClosed();
    this.#reader.release();
    this.#ringForSpace();
  }

  /**
   * Waits until there is a message: the efficient way to read in batches, as `while (await channel.readable()) channel.read(…)`.
   * The event loop gets a turn now and then, also when there always is one.
   *
   * @returns false when the channel was closed, or when the peer is gone, everything is read, and `endWithPeer` is set.
   * @throws the reason of `signal`
   */
  async readable(options: MessagesOptions = {}): Promise<boolean> {
    assertOptions(options, 'channel.readable');
    const { signal, endWithPeer = false } = options;
    signal?.throwIfAborted();
    if (++this.#batchesSinceTurn > BATCHES_PER_TURN) {
      this.#batchesSinceTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    if (!this.#closed && !this.#reader.available) {
      this.#batchesSinceTurn = 0;
      const isOver = (): boolean => endWithPeer && this.#peerIsGone;
      await this.waiting.until(this.#readable, () => this.#reader.available || isOver(), signal);
      if (!this.#closed && !this.#reader.available) return false;
    }
    return !this.#closed;
  }

  /**
   * The messages of the other side, as they come, each at least once. Asking for the next one marks the one before as read. A loop that is left
   * by an error or `break` has not read the message at hand, which comes again; `release()` before the `break` marks it.
   * One loop at a time, and no other reads beside it: the second is refused with `ERR_SHM_BUSY`. Ends when the channel is closed.
   */
  messages(options: MessagesOptions = {}): AsyncIterableIterator<Uint8Array> {
    assertOptions(options, 'channel.messages');
    const loop: ChannelMessages = new ChannelMessages(
      {
        take: () => this.#reader.take(),
        begin: () => {
          if (this.#loop !== undefined && this.#loop !== loop) this.#throwLooping();
          if (!this.#closed) this.#loop = loop;
          return !this.#closed;
        },
        release: () => this.release(),
        readable: () => this.readable(options),
        end: (rewind) => {
          if (this.#loop !== loop) return;
          this.#loop = undefined;
          if (rewind && !this.#closed) this.#reader.rewind();
        },
      },
      options.signal,
    );
    return loop;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.messages();
  }

  /**
   * Gives this side up, and tells the other. What was sent waits to be read; what was not read waits for the next holder of this side.
   * Loops over the messages end, waiting {@link send}s are refused. Idempotent.
   */
  override close(): void {
    super.close();
  }

  /** @internal */
  protected override leave(): void {
    this.#reader.close();
    this.#closed = true;
    this.#queue.rejectAll(this.closedError());
    const { participant } = this.#segment;
    // publish: the farewell, before the side is free. pairs with: PeerWatch.#gone
    store(this.#words, this.#farewellWord, participant.token);
    releaseRole(this.#words, this.#sideWord, participant);
    this.#peer.close();
    this.waiting.ringSlot(this.#segment.participants.slotOf(load(this.#words, this.#peerWord)));
  }

  /** @internal */
  protected override onLook(closedBell: number | undefined): void {
    this.#peer.check(closedBell);
  }

  get #peerIsGone(): boolean {
    const { state } = this.#peer.state;
    return state === 'left' || state === 'died';
  }

  #peerChanged(peer: PeerState): void {
    // One look may see two changes, and a listener may have closed the channel at the first one.
    if (this.#closed) return;
    this.waiting.look();
    if (peer.state === 'attached') this.emit('peer-attached', peer.pid);
    else if (peer.state === 'left') this.emit('peer-left', peer.pid);
    else if (peer.state === 'died') this.emit('peer-died', peer.pid);
  }

  /** Sends from the front of the queue what there is room for. */
  #flush(queue: Iterable<Queued<void>>): void {
    const staged: Queued<void>[] = [];
    for (const queued of queue) {
      try {
        if (!this.#writer.tryStage(queued.message)) break;
        staged.push(queued);
      } catch (error) {
        if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') throw error;
        // Only this one is bad: its memory was transferred away since it was checked.
        queued.reject(error);
      }
    }
    if (staged.length === 0) return;
    this.#writer.publish();
    for (const queued of staged) queued.resolve();
    if (load(this.#words, this.#peerReadableHint) !== 0) this.#ringForMessages();
  }

  #ringForMessages(): void {
    this.waiting.signal(this.#peerReadable);
  }

  #ringForSpace(): void {
    if (load(this.#words, this.#peerWritableHint) === 0) return;
    if (this.#reader.usedBytes <= this.#wakeUsedBytes) this.waiting.signal(this.#peerWritable);
  }

  /** First of all: a wrong message is refused alone, whatever waits before it. */
  #check(message: Uint8Array): void {
    checkBytes(message, 'a message');
    if (message.length > this.maxMessageBytes) this.#writer.throwTooLarge(message.length);
  }

  #throwLooping(): never {
    throw new ShmError('ERR_SHM_BUSY', `a loop over the messages of ${this.#segment.name} is running`);
  }

  #throwClosed(): never {
    throw this.closedError();
  }
}

/**
 * Opens one side of the channel called `name`, or makes the channel.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while the side, or both of them, are held by somebody not proven dead; and as every
 * opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openChannel } from '@chat/shm';
 *
 * // Usually in two processes.
 * using left = openChannel('greetings', { side: 'a' });
 * const right = openChannel('greetings', { side: 'b' });
 * await left.send(new TextEncoder().encode('hello'));
 * for await (const message of right) {
 *   assert.equal(new TextDecoder().decode(message), 'hello');
 *   break;
 * }
 * left.close();
 * right.closeAndRemoveIfLast();
 * ```
 */
export function openChannel(name: string, options: ChannelOptions = {}): Channel {
  assertOptions(options, 'openChannel');
  const { capacityBytes = DEFAULT_CAPACITY_BYTES, side, keepAlive = false, maxQueuedBytes } = options;
  checkCapacity(capacityBytes);
  checkMaxQueuedBytes(maxQueuedBytes);
  if (side !== undefined && side !== 'a' && side !== 'b') {
    throw new TypeError(`side is 'a' or 'b', not ${JSON.stringify(side)}`);
  }
  const segment = Segment.open(
    {
      kind: SegmentKind.Channel,
      params: [
        { name: 'capacityBytes', value: capacityBytes, required: options.capacityBytes !== undefined },
      ],
      payloadBytes: ([capacity = 0]) => channelBytes(capacity),
    },
    name,
    options,
    Role.Both,
  );
  try {
    const channel = new Channel(segment, claimSide(segment, side), maxQueuedBytes);
    return keepAlive ? channel.ref() : channel;
  } catch (error) {
    segment.close();
    throw error;
  }
}

function claimSide(segment: Segment, side: ChannelSide | undefined): ChannelSide {
  const { words, participant, participants } = segment;
  const base = segment.payloadOffset / WORD_BYTES;
  const claim = (wanted: ChannelSide): ChannelSide => {
    claimRole(words, base + SIDE_WORD[wanted], participant, participants, `side ${wanted}`);
    return wanted;
  };
  if (side !== undefined) return claim(side);
  try {
    return claim('a');
  } catch (error) {
    if (!ShmError.is(error) || error.code !== 'ERR_SHM_ROLE_TAKEN') throw error;
    return claim('b');
  }
}
