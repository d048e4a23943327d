/**
 * A conversation between two processes: numbered messages both ways, each read exactly once, over any number of kills.
 *
 * It is the textbook flow on one segment of messages and flags: create or attach, lock, write or read, unlock, detach and
 * clean up; and it can report each of these steps while it takes it. Everything that matters is changed under the mutex by one last
 * store, so that a process killed at any instruction leaves either the state before or the state after:
 *
 *     write   fill the slot, then WRITTEN = n     killed between: message n does not exist; its slot is filled again
 *     read    copy the slot out, OPENED = n       killed from here on: the successor gets n again, marked `again`
 *     done    DONE = n                            killed after: the successor starts with n + 1
 *     answer  write, which names n, then DONE = n killed between: the successor finds the answer, and sets DONE
 *
 * For speed use a ring or a channel; this one is for two sides that have to pick up where they were. The other side is
 * looked at every few milliseconds, without the lock. One process per side at a time; the last one out removes the segment.
 */
import { load, store } from './atomics.js';
import {
  ARRIVALS,
  conversationBytes,
  DEPARTED,
  DONE,
  OPENED,
  PID,
  SIDE_WORDS,
  SLOT_HEADER_BYTES,
  SLOTS_OFFSET,
  slotBytes,
  TOKEN,
  WRITTEN,
} from './conversation-layout.js';
import { ShmError } from './errors.js';
import type { OpenOptions } from './segment.js';
import { openSegment, type SharedSegment } from './shared-segment.js';

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
   * How often to look for news.
   * @defaultValue 10
   */
  readonly pollIntervalMs?: number;
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
  /** Whether a process on this side took it out before and died before it was done with it. */
  readonly again: boolean;
}

/** Something that became known of the other side. */
export interface ConversationPresence {
  readonly kind: 'arrived' | 'left' | 'died';
  readonly pid: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1000;
const DEFAULT_CAPACITY = 64;
const DEFAULT_POLL_INTERVAL_MS = 10;
/** Asking the kernel about a process costs more than looking at a flag, and is done less often. */
const LIVENESS_INTERVAL_MS = 100;

/** One side of a conversation. Made by {@link openConversation}. */
export class Conversation implements AsyncIterable<ConversationMessage | ConversationPresence> {
  readonly #segment: SharedSegment;
  readonly #maxMessageBytes: number;
  readonly #capacity: number;
  readonly #pollIntervalMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onStep: (step: ConversationStep) => void;
  readonly #mine: { readonly flags: number; readonly slots: number };
  readonly #theirs: { readonly flags: number; readonly slots: number };
  /** The arrival of the other side that was last told of, and whether it was told to be over. */
  #known = { arrival: 0, over: true };
  #askedAt = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #closing: Promise<boolean> | undefined;

  private constructor(segment: SharedSegment, options: ConversationOptions) {
    this.#segment = segment;
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#signal = options.signal;
    this.#onStep = options.onStep ?? (() => {});
    const bytesOfSlots = this.#capacity * slotBytes(this.#maxMessageBytes);
    const sides = [
      { flags: 0, slots: SLOTS_OFFSET },
      { flags: SIDE_WORDS, slots: SLOTS_OFFSET + bytesOfSlots },
    ] as const;
    [this.#mine, this.#theirs] = options.side === 'a' ? sides : [sides[1], sides[0]];
  }

  /** Used by {@link openConversation}. @internal */
  static async open(name: string, options: ConversationOptions): Promise<Conversation> {
    const { side, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, capacity = DEFAULT_CAPACITY } = options;
    if (side !== 'a' && side !== 'b') throw new TypeError(`side is 'a' or 'b', not ${JSON.stringify(side)}`);
    for (const [option, value] of Object.entries({ maxMessageBytes, capacity })) {
      if (!Number.isInteger(value) || value < 1 || value > 1 << 20) {
        throw new RangeError(`${option} is a whole number of 1 to ${1 << 20}, not ${value}`);
      }
    }
    const segment = openSegment(name, {
      ...options,
      payloadBytes: conversationBytes(maxMessageBytes, capacity),
    });
    try {
      const conversation = new Conversation(segment, options);
      await conversation.#arrive();
      return conversation;
    } catch (error) {
      segment.close();
      throw error;
    }
  }

  /** Number of the last message that this side wrote, in this process or an earlier one. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get sentNumber(): number {
    return this.#load(this.#mine, WRITTEN);
  }

  /** Number of the last message of the other side that this one is done with. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get receivedNumber(): number {
    return this.#load(this.#mine, DONE);
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
   * Messages in order, and the comings and goings of the other side. A message is done when the next event is asked for; a loop left
   * by `break` or an error has not done with the message at hand, which will come again. Ends with `signal`, or `close()`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConversationMessage | ConversationPresence, void, void> {
    while (!this.#ended) {
      // Hello comes before the messages, goodbye after them.
      const hasMessage = this.#load(this.#theirs, WRITTEN) !== this.receivedNumber;
      const presence = hasMessage && !this.#known.over ? undefined : this.#lookAround();
      if (presence !== undefined) {
        yield presence;
      } else if (hasMessage) {
        const message = await this.#open();
        yield message;
        if (this.#closing === undefined) this.#done(message.number);
      } else {
        await this.#pause();
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

  async #arrive(): Promise<void> {
    const { segment } = this.#segment;
    const what = `${segment.path}, ${segment.totalBytes} bytes`;
    if (segment.created) this.#onStep({ name: 'create', detail: what });
    this.#onStep({
      name: 'attach',
      detail: segment.created ? 'mapped, empty' : `mapped ${what}, as it was left`,
    });
    await this.#locked(() => {
      const token = this.#load(this.#mine, TOKEN);
      const arrivals = this.#load(this.#mine, ARRIVALS);
      const pid = this.#load(this.#mine, PID);
      if (arrivals > this.#load(this.#mine, DEPARTED) && segment.participants.livenessOf(token) !== 'dead') {
        throw new ShmError('ERR_SHM_ROLE_TAKEN', `this side of ${segment.name} is held by process ${pid}`);
      }
      // A predecessor killed between its answer and DONE: the answer tells.
      const written = this.sentNumber;
      if (written > 0) {
        const answered = this.#slot(this.#mine, written).header[1] ?? 0;
        if (answered > this.receivedNumber) this.#store(DONE, answered);
      }
      this.#store(PID, process.pid);
      this.#store(TOKEN, segment.participant.token);
      this.#store(ARRIVALS, arrivals + 1);
      const detail = `flag arrivals = ${arrivals + 1}; so far wrote ${written} and read ${this.receivedNumber}`;
      return { steps: [{ name: 'write', detail }] };
    });
  }

  async #leave(): Promise<boolean> {
    await this.#writing.catch(() => {});
    let unread = 0;
    await this.#locked(() => {
      const arrivals = this.#load(this.#mine, ARRIVALS);
      this.#store(DEPARTED, arrivals);
      unread = this.sentNumber - this.#load(this.#theirs, DONE);
      return { steps: [{ name: 'write', detail: `flag departed = ${arrivals}` }] };
    });
    const removed = this.#segment.closeAndRemoveIfLast();
    this.#onStep({ name: 'detach', detail: 'unmapped' });
    const lost = unread > 0 ? `; ${unread} of our messages were never read` : '';
    const detail = removed ? `last one out: segment removed${lost}` : 'the other side is here: segment kept';
    this.#onStep({ name: 'clean up', detail });
    return removed;
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
    while (this.sentNumber - this.#load(this.#theirs, DONE) >= this.#capacity) {
      this.#signal?.throwIfAborted();
      if (this.#closing !== undefined) throw new ShmError('ERR_SHM_CLOSED', 'closed while waiting for room');
      await this.#pause();
    }
    return this.#locked(() => {
      const number = this.sentNumber + 1;
      const slot = this.#slot(this.#mine, number);
      slot.header[0] = bytes.length;
      slot.header[1] = answers;
      slot.text.set(bytes);
      // publish: the message above is visible to whoever sees this number.
      // pairs with: the iteration, load of WRITTEN
      this.#store(WRITTEN, number);
      if (answers > this.receivedNumber) this.#store(DONE, answers);
      const done = answers > 0 ? `, which answers ${answers}; flag done = ${answers}` : '';
      const detail = `message ${number}, ${bytes.length} bytes; flag written = ${number}${done}`;
      return { result: number, steps: [{ name: 'write', detail }] };
    });
  }

  #open(): Promise<ConversationMessage> {
    return this.#locked(() => {
      const number = this.receivedNumber + 1;
      const { header, text } = this.#slot(this.#theirs, number);
      const [length = -1, answers = 0] = header;
      if (length < 0 || length > this.#maxMessageBytes) {
        throw new ShmError('ERR_SHM_CORRUPT', `message ${number} says it has ${length} bytes`);
      }
      const again = this.#load(this.#mine, OPENED) >= number;
      const message = { kind: 'message', number, bytes: text.slice(0, length), answers, again } as const;
      if (!again) this.#store(OPENED, number);
      const detail = `message ${number}, ${length} bytes; flag opened = ${number}${again ? ', as it was already' : ''}`;
      return { result: message, steps: [{ name: 'read', detail }] };
    });
  }

  /** Also true of a message that was answered: the flag is there already. */
  #done(number: number): void {
    if (number > this.receivedNumber) this.#store(DONE, number);
  }

  /** What has become of the other side since it was last told. */
  #lookAround(): ConversationPresence | undefined {
    const { participants } = this.#segment.segment;
    const arrivals = this.#load(this.#theirs, ARRIVALS);
    const pid = this.#load(this.#theirs, PID);
    const { arrival, over } = this.#known;
    if (!over) {
      if (this.#load(this.#theirs, DEPARTED) >= arrival) {
        this.#known = { arrival, over: true };
        return { kind: 'left', pid };
      }
      // Somebody else came to be the other side: whoever was there before, and did not say goodbye, had died.
      let dead = arrivals > arrival;
      const now = performance.now();
      if (!dead && now - this.#askedAt >= LIVENESS_INTERVAL_MS) {
        this.#askedAt = now;
        dead = participants.livenessOf(this.#load(this.#theirs, TOKEN)) === 'dead';
      }
      // Who is gone may just have said goodbye: that is looked at first, in the next round.
      if (!dead || this.#load(this.#theirs, DEPARTED) >= arrival) return undefined;
      this.#known = { arrival, over: true };
      return { kind: 'died', pid };
    }
    if (arrivals === arrival || this.#load(this.#theirs, DEPARTED) >= arrivals) return undefined;
    this.#known = { arrival: arrivals, over: false };
    return { kind: 'arrived', pid };
  }

  /** Runs `work` under the lock, and reports it as steps when the lock has been given up. */
  async #locked<T>(
    work: () => { readonly result?: T; readonly steps: readonly ConversationStep[] },
  ): Promise<T> {
    const askedAt = performance.now();
    const steps: ConversationStep[] = [];
    const result = await this.#segment.withLock((lock) => {
      const hadAt = performance.now();
      const recovered = lock.recovered
        ? `; taken from process ${lock.deceased?.pid ?? '?'}, which died holding it`
        : '';
      // Every change is made by one last store, so there is nothing to repair.
      if (lock.recovered) lock.markConsistent();
      steps.push({ name: 'lock', detail: `had it after ${microseconds(hadAt - askedAt)}${recovered}` });
      const done = work();
      steps.push(...done.steps, {
        name: 'unlock',
        detail: `held it for ${microseconds(performance.now() - hadAt)}`,
      });
      return done.result as T;
    });
    for (const step of steps) this.#onStep(step);
    return result;
  }

  #slot(side: { readonly slots: number }, number: number): { header: Int32Array; text: Uint8Array } {
    const { payload } = this.#segment;
    const size = slotBytes(this.#maxMessageBytes);
    const offset = payload.byteOffset + side.slots + (number % this.#capacity) * size;
    return {
      header: new Int32Array(payload.buffer, offset, SLOT_HEADER_BYTES / 4),
      text: new Uint8Array(payload.buffer, offset + SLOT_HEADER_BYTES, size - SLOT_HEADER_BYTES),
    };
  }

  #load(side: { readonly flags: number }, flag: number): number {
    return load(this.#segment.words, side.flags + flag);
  }

  #store(flag: number, value: number): void {
    store(this.#segment.words, this.#mine.flags + flag, value);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const signal = this.#signal;
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, this.#pollIntervalMs);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}

/**
 * Opens one side of the conversation called `name`, or makes it.
 *
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` when a live process has this side; and as every opener.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openConversation } from '@chat/shm';
 *
 * const a = await openConversation('smalltalk', { side: 'a' });
 * const b = await openConversation('smalltalk', { side: 'b' });
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
  return Conversation.open(name, options);
}
