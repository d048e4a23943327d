/**
 * A conversation between two processes in one segment of messages and flags: the textbook flow, on the public API of `@chat/shm`.
 *
 *     openSegment     create or attach
 *     withLock        lock, write or read, unlock
 *     notify          wake the other one; `changed` is where it sleeps
 *     close           detach and clean up
 *
 * Each change takes effect by the last store of what is done under the lock, so a process killed at any instruction leaves the state
 * before or the state after, and the lock is recovered from it with nothing to be repaired:
 *
 *     write   fill the slot, then WRITTEN = n     killed between: message n does not exist; its slot is filled again
 *     read    copy the slot out, OPENED = n       killed from here on: the successor gets n again, marked `again`
 *     done    DONE = n                            killed after: the successor begins with n + 1
 *     answer  write, which names n, then DONE = n killed between: the successor finds the answer, and sets DONE
 *
 * Longer than most files here: writer and reader change the same words, and each is right only beside the other.
 *
 * Longer than most files here: the steps in which both sides change the segment are read side by side.
 */
import { type Lock, openSegment, type SharedSegment, ShmError } from '@chat/shm';
import {
  ahead,
  DONE,
  FAREWELL,
  FLAGS_WORD,
  HOLDER,
  LAST_PID,
  MARK,
  MARK_WORD,
  MAX_TEXT_BYTES,
  OPENED,
  SLOT_BYTES,
  SLOT_BYTES_WORD,
  SLOT_HEADER_WORDS,
  SLOTS,
  SLOTS_WORD,
  slotOffset,
  TOTAL_BYTES,
  WRITTEN,
} from './layout.js';

export type Side = 'a' | 'b';

/** Something that was done to the shared memory. */
export interface Step {
  readonly name: 'create' | 'attach' | 'lock' | 'write' | 'read' | 'unlock' | 'detach' | 'clean up';
  readonly detail: string;
}

/** A message of the other side. */
export interface Message {
  readonly kind: 'message';
  /** Rises by one from message to message, over all restarts, as long as the segment is there. */
  readonly number: number;
  readonly text: string;
  /** Whether it was taken out before and not done with: by a process that was killed over it. */
  readonly again: boolean;
}

/** Something that became known of the other side. */
export interface Presence {
  readonly kind: 'arrived' | 'left' | 'died';
  readonly pid: number;
}

/** Options of {@link Conversation.open}. */
export interface ConversationOptions {
  /** Ends the events and every wait; {@link Conversation.close} is still to be called. */
  readonly signal: AbortSignal;
  /** Is told what was done to the shared memory, outside the lock. */
  readonly onStep: (step: Step) => void;
  /** Folder of the segment. */
  readonly directory?: string;
  readonly farewellPatienceMs?: number;
}

/** How often it is looked whether the other side died. */
const PRESENCE_INTERVAL_MS = 500;
/** A process that cannot get the lock in this time leaves without a goodbye, as if it had been killed. */
const FAREWELL_PATIENCE_MS = 1000;
/** After so many messages that were at hand the event loop gets a turn: in a flood there is always one more. */
const MESSAGES_PER_TURN = 16;

/** One side of a conversation. Made by {@link Conversation.open}. */
export class Conversation {
  readonly #segment: SharedSegment;
  readonly #side: Side;
  readonly #other: Side;
  readonly #signal: AbortSignal;
  readonly #onStep: (step: Step) => void;
  readonly #farewellPatienceMs: number;
  /** What was last told of the other side: its process, its life, and what became of it. */
  #told = '';
  #sinceTurn = 0;

  private constructor(segment: SharedSegment, side: Side, options: ConversationOptions) {
    this.#segment = segment;
    this.#side = side;
    this.#other = side === 'a' ? 'b' : 'a';
    this.#signal = options.signal;
    this.#onStep = options.onStep;
    this.#farewellPatienceMs = options.farewellPatienceMs ?? FAREWELL_PATIENCE_MS;
  }

  /** Creates or attaches, and becomes `side`. @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while a living process is that side. */
  static async open(name: string, side: Side, options: ConversationOptions): Promise<Conversation> {
    const { directory } = options;
    const segment = openSegment(name, {
      payloadBytes: TOTAL_BYTES,
      ...(directory !== undefined && { directory }),
    }).ref();
    const conversation = new Conversation(segment, side, options);
    try {
      await conversation.#arrive();
      return conversation;
    } catch (error) {
      segment.close();
      throw error;
    }
  }

  /** Number of the last message that this side wrote, in this process or an earlier one. */
  get sentNumber(): number {
    return this.#flag(this.#side, WRITTEN) >>> 0;
  }

  /** Number of the last message of the other side that this one is done with. */
  get receivedNumber(): number {
    return this.#flag(this.#side, DONE) >>> 0;
  }

  /**
   * Writes a message as soon as the other side has left room, and returns its number. With `answers`, the message of this number is
   * answered and done with: both or neither, whenever the process is killed.
   */
  async send(text: string, answers?: number): Promise<number> {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > MAX_TEXT_BYTES) {
      throw new RangeError(`a message of ${bytes.length} bytes is longer than ${MAX_TEXT_BYTES}`);
    }
    for (;;) {
      const since = this.#segment.notified;
      const number = await this.#locked(() => {
        const next = (this.#flag(this.#side, WRITTEN) + 1) | 0;
        if (ahead(next, this.#flag(this.#other, DONE)) > SLOTS) return { result: undefined, steps: [] };
        const offset = slotOffset(this.#side, next);
        this.#header(offset).set([bytes.length, answers ?? 0, answers === undefined ? 0 : 1]);
        this.#segment.payload.set(bytes, offset + SLOT_HEADER_WORDS * 4);
        this.#setFlag(WRITTEN, next);
        if (answers !== undefined) this.#setFlag(DONE, answers | 0);
        const done = answers === undefined ? '' : `; flag done = ${answers}`;
        const detail = `message ${next >>> 0}, ${bytes.length} bytes; flag written = ${next >>> 0}${done}`;
        return { result: next >>> 0, steps: [{ name: 'write', detail }] };
      });
      if (number !== undefined) {
        this.#segment.notify();
        return number;
      }
      await this.#segment.changed({ since, signal: this.#signal });
    }
  }

  /**
   * Messages in order, and the comings and goings of the other side. A message is done with when the next one is asked for, or answered;
   * one that a loop is left with comes again. Ends with the signal.
   */
  async *events(): AsyncGenerator<Message | Presence, void, undefined> {
    let presence: Presence | undefined;
    while (!this.#signal.aborted) {
      const since = this.#segment.notified;
      presence ??= this.#presence();
      if (presence?.kind === 'arrived') {
        yield presence;
        presence = undefined;
      }
      const message = await this.#read();
      if (message !== undefined) {
        yield message;
        if (ahead(message.number, this.#flag(this.#side, DONE)) > 0) await this.#done(message.number);
        if (++this.#sinceTurn % MESSAGES_PER_TURN === 0)
          await new Promise((resolve) => setImmediate(resolve));
      } else if (presence !== undefined) {
        // Goodbye comes after the last message.
        yield presence;
        presence = undefined;
      } else {
        await this.#sleep(since);
      }
    }
  }

  /**
   * Says goodbye, detaches, and removes the segment if the other side is not there and nothing in it waits to be read.
   *
   * @returns whether it was removed.
   */
  async close(): Promise<boolean> {
    const unread = await this.#locked(
      () => {
        this.#setFlag(FAREWELL, 1);
        this.#setFlag(HOLDER, 0);
        const waits = (from: Side, to: Side): number =>
          ahead(this.#flag(from, WRITTEN), this.#flag(to, DONE));
        const result = waits('a', 'b') + waits('b', 'a');
        return { result, steps: [{ name: 'write', detail: 'flag farewell' }] };
      },
      { timeoutMs: this.#farewellPatienceMs },
    ).catch(() => undefined);
    this.#segment.notify();
    const removed = unread === 0 && this.#segment.closeAndRemoveIfLast();
    this.#segment.close();
    this.#onStep({ name: 'detach', detail: 'unmapped' });
    let detail = removed ? 'last one out: segment removed' : 'the other side is here: segment kept';
    if (unread !== undefined && unread > 0) detail = `segment kept: ${unread} messages in it wait to be read`;
    if (unread === undefined) detail = 'the lock was not to be had: left without a goodbye';
    this.#onStep({ name: 'clean up', detail });
    return removed;
  }

  async #arrive(): Promise<void> {
    const { path, created } = this.#segment;
    if (created) this.#onStep({ name: 'create', detail: `${path}, ${TOTAL_BYTES} bytes` });
    this.#onStep({ name: 'attach', detail: created ? 'mapped, empty' : `mapped ${path}, as it was left` });
    await this.#locked(
      () => {
        this.#checkLayout();
        const holder = this.#holder(this.#side);
        if (holder !== undefined && holder.liveness !== 'dead') {
          const who = `process ${holder.pid}, which is ${holder.liveness}`;
          throw new ShmError('ERR_SHM_ROLE_TAKEN', `side ${this.#side} is ${who}`);
        }
        this.#setFlag(LAST_PID, process.pid);
        this.#setFlag(FAREWELL, 0);
        this.#setFlag(HOLDER, this.#segment.participant.token);
        // A predecessor killed between its answer and DONE: the answer tells.
        const header = this.#header(slotOffset(this.#side, this.#flag(this.#side, WRITTEN)));
        const [, answered = 0, isAnswer = 0] = header;
        if (isAnswer === 1 && ahead(answered, this.#flag(this.#side, DONE)) > 0)
          this.#setFlag(DONE, answered);
        const soFar = `so far it wrote ${this.sentNumber} and read ${this.receivedNumber} messages`;
        return {
          result: undefined,
          steps: [{ name: 'write', detail: `flag holder of side ${this.#side}; ${soFar}` }],
        };
      },
      { signal: this.#signal },
    );
    this.#segment.notify();
  }

  /** Whoever opens the segment first says how it is laid out; everybody else checks that it means the same. */
  #checkLayout(): void {
    const { words, path } = this.#segment;
    if (words[MARK_WORD] === 0 && words.subarray(0, 64).every((word) => word === 0)) {
      words[SLOTS_WORD] = SLOTS;
      words[SLOT_BYTES_WORD] = SLOT_BYTES;
      words[MARK_WORD] = MARK;
    }
    const [mark, slots, slotBytes] = words;
    if (mark === MARK && slots === SLOTS && slotBytes === SLOT_BYTES) return;
    throw new ShmError(
      'ERR_SHM_PARAMS',
      `${path} is not a conversation of ${SLOTS} messages of ${SLOT_BYTES} bytes`,
    );
  }

  async #read(): Promise<Message | undefined> {
    // A look without the lock; what it finds is looked at again with it.
    if (this.#flag(this.#other, WRITTEN) === this.#flag(this.#side, DONE)) return undefined;
    return this.#locked(() => {
      const number = (this.#flag(this.#side, DONE) + 1) | 0;
      const offset = slotOffset(this.#other, number);
      const [length = -1] = this.#header(offset);
      if (length < 0 || length > MAX_TEXT_BYTES) {
        throw new ShmError('ERR_SHM_CORRUPT', `message ${number >>> 0} says it has ${length} bytes`);
      }
      const begin = offset + SLOT_HEADER_WORDS * 4;
      const text = new TextDecoder().decode(this.#segment.payload.slice(begin, begin + length));
      const again = ahead(this.#flag(this.#side, OPENED), number) >= 0;
      if (!again) this.#setFlag(OPENED, number);
      const detail = `message ${number >>> 0}, ${length} bytes; flag opened = ${number >>> 0}${again ? ', as it was already' : ''}`;
      const result: Message = { kind: 'message', number: number >>> 0, text, again };
      return { result, steps: [{ name: 'read', detail }] };
    });
  }

  /** Sleeps until somebody notifies, or it is time to look whether the other side died: of that nobody notifies. */
  async #sleep(since: number): Promise<void> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(PRESENCE_INTERVAL_MS)]);
    await this.#segment.changed({ since, signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #done(number: number): Promise<void> {
    await this.#locked(() => {
      this.#setFlag(DONE, number | 0);
      return { result: undefined, steps: [] };
    });
    this.#segment.notify();
  }

  /** What became of the other side since it was last told. */
  #presence(): Presence | undefined {
    const holder = this.#holder(this.#other);
    const pid = this.#flag(this.#other, LAST_PID);
    if (pid === 0) return undefined;
    const here = holder !== undefined && holder.liveness !== 'dead';
    const gone = this.#flag(this.#other, FAREWELL) === 1 ? 'left' : 'died';
    const kind = here ? 'arrived' : gone;
    const life = `${pid} ${this.#flag(this.#other, HOLDER)} ${kind}`;
    if (life === this.#told || (this.#told === '' && !here)) return undefined;
    // Goodbye is told when all was read: see events().
    if (!here && this.#flag(this.#other, WRITTEN) !== this.#flag(this.#side, DONE)) return undefined;
    this.#told = life;
    return { kind, pid };
  }

  #holder(side: Side): { readonly pid: number; readonly liveness: string } | undefined {
    const token = this.#flag(side, HOLDER);
    return this.#segment.participants().find((one) => one.token === token);
  }

  /** Runs `work` under the lock, and reports it as steps when the lock has been given up. */
  async #locked<T>(
    work: () => { readonly result: T; readonly steps: readonly Step[] },
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const steps: Step[] = [];
    const askedAt = performance.now();
    const result = await this.#segment.withLock((lock: Lock) => {
      const hadAt = performance.now();
      // Every change is made by one last store, so there is nothing to repair.
      if (lock.recovered) lock.markConsistent();
      const from = lock.recovered
        ? `; taken from process ${lock.deceased?.pid ?? '?'}, which died holding it`
        : '';
      const done = work();
      if (done.steps.length > 0) {
        const held = microseconds(performance.now() - hadAt);
        steps.push({ name: 'lock', detail: `had it after ${microseconds(hadAt - askedAt)}${from}` });
        steps.push(...done.steps, { name: 'unlock', detail: `held it for ${held}` });
      }
      return done.result;
    }, options);
    for (const step of steps) this.#onStep(step);
    return result;
  }

  #flag(side: Side, flag: number): number {
    return Atomics.load(this.#segment.words, FLAGS_WORD[side] + flag);
  }

  #setFlag(flag: number, value: number): void {
    Atomics.store(this.#segment.words, FLAGS_WORD[this.#side] + flag, value);
  }

  #header(offset: number): Int32Array {
    return this.#segment.words.subarray(offset / 4, offset / 4 + SLOT_HEADER_WORDS);
  }
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}
