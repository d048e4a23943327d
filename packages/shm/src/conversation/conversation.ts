/**
 * A conversation between two processes: numbered messages both ways, each read exactly once, over any number of kills.
 *
 * It is the textbook flow on one segment of messages and flags: create or attach, lock, write or read, unlock, detach and
 * clean up; and it can report each of these steps as it takes it. Everything that matters is changed under the mutex by one last
 * store, so that a process killed at any instruction leaves either the state before or the state after:
 *
 *     write   fill the slot, then WRITTEN = n     killed between: message n does not exist; its slot is filled again
 *     read    copy the slot out, OPENED = n       killed from here on: the successor gets n again, marked `again`
 *     done    DONE = n                            killed after: the successor starts with n + 1
 *     answer  write, which names n, then DONE = n killed between: the successor finds the answer, and sets DONE
 *
 * A channel is faster and takes no lock; this one knows what was done with each message. Who has nothing to do sleeps, and is
 * rung for. One process per side at a time; the last one out removes the segment.
 */

import { ShmError } from '../errors.js';
import type { LockOptions } from '../lock/mutex.js';
import { assertOptions } from '../option-names.js';
import { claimRole, releaseRole } from '../segment/participants.js';
import type { OpenOptions } from '../segment/segment.js';
import { openSegment, type SharedSegment } from '../segment/shared-segment.js';
import { arm, Doorbell, disarm, takeWaiter } from '../waiting/doorbell.js';
import { type PeerState, PeerWatch } from '../waiting/peer-watch.js';
import { conversationBytes, DONE, FAREWELL, HOLDER, OPENED, WAITS, WRITTEN } from './layout.js';
import { ConversationSide } from './side.js';

/** Options of {@link openConversation}. */
export interface ConversationOptions extends OpenOptions {
  /** Which of the two sides to be. */
  readonly side: 'a' | 'b';
  /**
   * Longest message. Both sides must say the same.
   * @defaultValue 1000
   */
  readonly maxMessageBytes?: number;
  /**
   * How many unread messages a side may have before `send` waits. Both sides must say the same.
   * @defaultValue 64
   */
  readonly capacity?: number;
  /**
   * Whether the open conversation keeps the process alive, as a socket does.
   * @defaultValue false
   */
  readonly keepAlive?: boolean;
  /** Ends the iteration and every wait; {@link Conversation.close} is still to be called. */
  readonly signal?: AbortSignal;
  /** Is told what is done to the shared memory, right after it was done and outside the lock. */
  readonly onStep?: (step: ConversationStep) => void;
}

/** Something that was done to the shared memory. */
export interface ConversationStep {
  readonly name: 'create' | 'attach' | 'lock' | 'write' | 'read' | 'unlock' | 'detach' | 'clean up';
  /** What exactly, for people. */
  readonly detail: string;
}

/** A message of the other side. */
export interface ConversationMessage {
  readonly kind: 'message';
  /** Rises by one from message to message, over all restarts. */
  readonly number: number;
  /** The text, owned by the caller. */
  readonly bytes: Uint8Array;
  /** The number of our message that it answers, or 0. */
  readonly answers: number;
  /** Whether it was taken out before and not done with: by a process that died, or by a loop that was left. */
  readonly again: boolean;
}

/** Something that became known of the other side. */
export interface ConversationPresence {
  readonly kind: 'arrived' | 'left' | 'died';
  readonly pid: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1000;
const DEFAULT_CAPACITY = 64;

/** One side of a conversation. Made by {@link openConversation}. */
export class Conversation implements AsyncIterable<ConversationMessage | ConversationPresence> {
  readonly #segment: SharedSegment;
  readonly #maxMessageBytes: number;
  readonly #capacity: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onStep: (step: ConversationStep) => void;
  readonly #mine: ConversationSide;
  readonly #theirs: ConversationSide;
  readonly #doorbell: Doorbell;
  readonly #peer: PeerWatch;
  /** What became known of the other side and was not told yet. */
  readonly #news: ConversationPresence[] = [];
  readonly #sleepers = new Set<() => void>();
  readonly #wakeAll = (): void => this.#wake();
  #writing: Promise<unknown> = Promise.resolve();
  #closing: Promise<boolean> | undefined;

  private constructor(segment: SharedSegment, options: ConversationOptions) {
    this.#segment = segment;
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#signal = options.signal;
    this.#onStep = options.onStep ?? (() => {});
    const sideAt = (index: 0 | 1): ConversationSide =>
      new ConversationSide(segment, index, this.#maxMessageBytes, this.#capacity);
    this.#mine = sideAt(options.side === 'a' ? 0 : 1);
    this.#theirs = sideAt(options.side === 'a' ? 1 : 0);
    this.#doorbell = new Doorbell(segment.segment, {
      onRing: this.#wakeAll,
      onLook: (closed) => {
        this.#peer.check(closed);
        this.#wake();
      },
    });
    if (options.keepAlive) this.#doorbell.ref();
    this.#peer = new PeerWatch(segment.segment, {
      sideWord: this.#theirs.wordOf(HOLDER),
      farewellWord: this.#theirs.wordOf(FAREWELL),
      doorbell: this.#doorbell,
      onChange: (peer) => this.#peerChanged(peer),
    });
    this.#signal?.addEventListener('abort', this.#wakeAll);
  }

  /** Used by {@link openConversation}. @internal */
  static async open(name: string, options: ConversationOptions): Promise<Conversation> {
    const {
      side,
      maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
      capacity = DEFAULT_CAPACITY,
      keepAlive: _keepAlive,
      signal: _signal,
      onStep: _onStep,
      ...opening
    } = options;
    if (side !== 'a' && side !== 'b') throw new TypeError(`side is 'a' or 'b', not ${JSON.stringify(side)}`);
    for (const [option, value] of Object.entries({ maxMessageBytes, capacity })) {
      if (!Number.isInteger(value) || value < 1 || value > 1 << 20) {
        throw new RangeError(`${option} is a whole number of 1 to ${1 << 20}, not ${value}`);
      }
    }
    const payloadBytes = conversationBytes(maxMessageBytes, capacity);
    const conversation = new Conversation(openSegment(name, { ...opening, payloadBytes }), options);
    try {
      await conversation.#arrive(side);
      return conversation;
    } catch (error) {
      conversation.#detach();
      conversation.#segment.close();
      throw error;
    }
  }

  /** Number of the last message that this side wrote, in this process or an earlier one. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get sentNumber(): number {
    return this.#mine.load(WRITTEN);
  }

  /** Number of the last message of the other side that this one is done with. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get receivedNumber(): number {
    return this.#mine.load(DONE);
  }

  /**
   * Writes a message, as soon as the other side has left room. It lies in shared memory once the promise is fulfilled, and
   * outlives this process.
   *
   * @returns its number.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CLOSED`; the reason of `signal` while waiting for room.
   */
  async send(bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, 0);
  }

  /**
   * Writes an answer to `message` and is done with it, both or neither, whenever the process is killed. For the message
   * which the iteration handed out last.
   *
   * @returns the number of the answer.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CLOSED`; the reason of `signal` while waiting for room.
   */
  async answer(message: ConversationMessage, bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, message.number);
  }

  /**
   * Messages in order, and the comings and goings of the other side: hello before its messages, goodbye after them. A message is
   * done with when the next event is asked for; a loop left by `break` or an error is not done with the message at
   * hand, which will come again. Ends with `signal`, or `close()`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConversationMessage | ConversationPresence, void, void> {
    while (!this.#ended) {
      const hasMessage = this.#hasMessage;
      const [news] = this.#news;
      if (news !== undefined && (news.kind === 'arrived' || !hasMessage)) {
        this.#news.shift();
        yield news;
      } else if (hasMessage) {
        const message = await this.#open();
        yield message;
        if (this.#closing === undefined) this.#done(message.number);
      } else {
        await this.#sleepUntil(() => this.#hasMessage || this.#news.length > 0);
      }
    }
  }

  /**
   * Waits for what is being written, says goodbye, detaches, and removes the segment if the other side is not there.
   * Idempotent.
   *
   * @returns whether the segment was removed.
   */
  close(): Promise<boolean> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #ended(): boolean {
    return this.#closing !== undefined || this.#signal?.aborted === true;
  }

  get #hasMessage(): boolean {
    return this.#theirs.load(WRITTEN) !== this.receivedNumber;
  }

  get #hasRoom(): boolean {
    return this.sentNumber - this.#theirs.load(DONE) < this.#capacity;
  }

  async #arrive(side: string): Promise<void> {
    const { segment } = this.#segment;
    const what = `${segment.path}, ${segment.totalBytes} bytes`;
    if (segment.created) this.#onStep({ name: 'create', detail: what });
    const detail = segment.created ? 'mapped, empty' : `mapped ${what}, as it was left`;
    this.#onStep({ name: 'attach', detail });
    await this.#locked(() => {
      const { words, participant, participants } = segment;
      claimRole(words, this.#mine.wordOf(HOLDER), participant, participants, `side ${side}`);
      const written = this.sentNumber;
      // A predecessor killed between its answer and DONE: the answer tells.
      const answered = written > 0 ? (this.#mine.slot(written).header[1] ?? 0) : 0;
      if (answered > this.receivedNumber) this.#mine.store(DONE, answered);
      const soFar = `so far it wrote ${written} and read ${this.receivedNumber} messages`;
      return { steps: [{ name: 'write', detail: `flag holder of side ${side}; ${soFar}` }] };
    }, this.#signal && { signal: this.#signal });
    // It may have been full until DONE was mended.
    this.#ring();
    this.#peer.check(false);
  }

  async #leave(): Promise<boolean> {
    this.#wake();
    await this.#writing;
    let unread = 0;
    await this.#locked(() => {
      const { words, participant } = this.#segment.segment;
      unread = this.sentNumber - this.#theirs.load(DONE);
      // publish: the farewell, before the side is free. pairs with: PeerWatch
      this.#mine.store(FAREWELL, participant.token);
      releaseRole(words, this.#mine.wordOf(HOLDER), participant);
      return { steps: [{ name: 'write', detail: 'flag farewell' }] };
    });
    this.#detach();
    const removed = this.#segment.closeAndRemoveIfLast();
    this.#onStep({ name: 'detach', detail: 'unmapped' });
    const lost = unread > 0 ? `; ${unread} of our messages were never read` : '';
    const detail = removed ? `last one out: segment removed${lost}` : 'the other side is here: segment kept';
    this.#onStep({ name: 'clean up', detail });
    return removed;
  }

  #detach(): void {
    this.#signal?.removeEventListener('abort', this.#wakeAll);
    this.#peer.close();
    this.#doorbell.close();
  }

  #write(bytes: Uint8Array, answers: number): Promise<number> {
    if (bytes.length > this.#maxMessageBytes) {
      const limit = `message of ${bytes.length} bytes exceeds maxMessageBytes ${this.#maxMessageBytes}`;
      return Promise.reject(new ShmError('ERR_SHM_TOO_LARGE', limit));
    }
    if (this.#closing !== undefined) {
      return Promise.reject(new ShmError('ERR_SHM_CLOSED', 'the conversation is closed'));
    }
    // One after the other, so that the room that was waited for is still there when the lock is had.
    const number = this.#writing.then(() => this.#writeNow(bytes, answers));
    this.#writing = number.catch(() => {});
    return number;
  }

  async #writeNow(bytes: Uint8Array, answers: number): Promise<number> {
    await this.#sleepUntil(() => this.#hasRoom);
    if (!this.#hasRoom) {
      this.#signal?.throwIfAborted();
      throw new ShmError('ERR_SHM_CLOSED', 'closed while waiting for room');
    }
    const written = await this.#locked(() => {
      const number = this.sentNumber + 1;
      const slot = this.#mine.slot(number);
      slot.header[0] = bytes.length;
      slot.header[1] = answers;
      slot.text.set(bytes);
      // publish: the message above is visible to whoever sees this number.
      // pairs with: the iteration, load of WRITTEN
      this.#mine.store(WRITTEN, number);
      if (answers > this.receivedNumber) this.#mine.store(DONE, answers);
      const done = answers > 0 ? `, which answers ${answers}; flag done = ${answers}` : '';
      const detail = `message ${number}, ${bytes.length} bytes; flag written = ${number}${done}`;
      return { result: number, steps: [{ name: 'write', detail }] };
    });
    this.#ring();
    return written;
  }

  #open(): Promise<ConversationMessage> {
    return this.#locked(() => {
      const number = this.receivedNumber + 1;
      const { header, text } = this.#theirs.slot(number);
      const [length = -1, answers = 0] = header;
      if (length < 0 || length > this.#maxMessageBytes) {
        throw new ShmError('ERR_SHM_CORRUPT', `message ${number} says it has ${length} bytes`);
      }
      const again = this.#mine.load(OPENED) >= number;
      const message = { kind: 'message', number, bytes: text.slice(0, length), answers, again } as const;
      if (!again) this.#mine.store(OPENED, number);
      const detail = `message ${number}, ${length} bytes; flag opened = ${number}${again ? ', as it was already' : ''}`;
      return { result: message, steps: [{ name: 'read', detail }] };
    });
  }

  /** Also called for a message that was answered: the flag is there already. */
  #done(number: number): void {
    if (number <= this.receivedNumber) return;
    // publish: the slot is not needed any more. pairs with: #hasRoom, load of DONE
    this.#mine.store(DONE, number);
    this.#ring();
  }

  /** Runs `work` under the lock, and reports it as steps when the lock has been given up. */
  async #locked<T>(
    work: () => { readonly result?: T; readonly steps: readonly ConversationStep[] },
    options: LockOptions = {},
  ): Promise<T> {
    const askedAt = performance.now();
    const steps: ConversationStep[] = [];
    const result = await this.#segment.withLock((lock) => {
      const hadAt = performance.now();
      const { recovered, deceased } = lock;
      // Every change is made by one last store, so there is nothing to repair.
      if (recovered) lock.markConsistent();
      const from = recovered ? `; taken from process ${deceased?.pid ?? '?'}, which died holding it` : '';
      steps.push({ name: 'lock', detail: `had it after ${microseconds(hadAt - askedAt)}${from}` });
      const done = work();
      const held = microseconds(performance.now() - hadAt);
      steps.push(...done.steps, { name: 'unlock', detail: `held it for ${held}` });
      return done.result as T;
    }, options);
    for (const step of steps) this.#onStep(step);
    return result;
  }

  #peerChanged(peer: PeerState): void {
    if (peer.state === 'awaited') return;
    this.#news.push({ kind: peer.state === 'attached' ? 'arrived' : peer.state, pid: peer.pid });
    this.#wake();
  }

  /** Wakes the other side if it sleeps. Called after WRITTEN or DONE was stored. */
  #ring(): void {
    const { words } = this.#segment.segment;
    if (takeWaiter(words, this.#theirs.wordOf(WAITS))) this.#doorbell.ring(this.#theirs.load(HOLDER));
  }

  /** Sleeps until `isReady`, or the end. */
  async #sleepUntil(isReady: () => boolean): Promise<void> {
    const { words } = this.#segment.segment;
    const waits = this.#mine.wordOf(WAITS);
    while (!this.#ended && !isReady()) {
      await new Promise<void>((resolve) => {
        this.#sleepers.add(resolve);
        arm(words, waits);
        // The last look: see the head of doorbell.ts.
        if (isReady()) this.#wake();
      });
      if (this.#closing === undefined && this.#sleepers.size === 0) disarm(words, waits);
    }
  }

  #wake(): void {
    for (const wake of this.#sleepers) wake();
    this.#sleepers.clear();
  }
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}

/**
 * Opens one side of the conversation called `name`, or makes it.
 *
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` when a live process has this side; and as every opener.
 * @throws the reason of `signal`, while waiting for a process that has the lock.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openConversation } from '@chat/shm';
 *
 * const a = await openConversation('smalltalk', { side: 'a' });
 * const b = await openConversation('smalltalk', { side: 'b', keepAlive: true });
 * assert.equal(await a.send(new TextEncoder().encode('hello')), 1);
 * for await (const event of b) {
 *   if (event.kind !== 'message') continue;
 *   assert.equal(new TextDecoder().decode(event.bytes), 'hello');
 *   await b.answer(event, new TextEncoder().encode('hello yourself'));
 *   break;
 * }
 * assert.equal(await a.close(), false);
 * assert.equal(await b.close(), true);
 * ```
 */
export async function openConversation(name: string, options: ConversationOptions): Promise<Conversation> {
  assertOptions(options, 'openConversation');
  return Conversation.open(name, options);
}
