/**
 * Waiting in one handle: the one way in which everything of this package sleeps and is woken.
 *
 *     arm         say in shared memory that we sleep (`wait-point.ts`)
 *     last look   is it there by now? then we do not
 *     park        a promise, in the event loop
 *     signal      whoever publishes takes the sleepers and rings (`bell.ts`)
 *     close       all who are parked look, and find the end
 *
 * A look costs a few loads. It happens when the handle is rung for, when a process that it has to do with is gone, and by a timer that
 * the whole thread shares. Only what is really there wakes anybody. A read-only handle cannot say that it sleeps, so it looks every 20 ms.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { load, sleepSync, store } from '../platform/atomics.js';
import { loadedAddon } from '../platform/mapping.js';
import { Counter } from '../segment/counters.js';
import { SLOT_BELL, SLOT_KEY, SLOT_SLEEPS, slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import { Bell, BLIND_LOOK_MS, FIRST_LOOK_MS } from './bell.js';
import { BLOCKED_BIT, type Sleeper, type WaitPoint } from './wait-point.js';

interface Parked {
  readonly point: WaitPoint;
  isReady(): boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** How to wait with the thread blocked. */
export interface SyncOptions {
  /**
   * Longest wait.
   * @defaultValue no limit
   */
  readonly timeoutMs?: number;
}

/** How to wait. */
export interface WaitOptions {
  /** Stops waiting; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** What a handle does beside waking those who are parked. */
export interface Looks {
  /** It was rung for: what changes with a ring is looked at. On the way of every message. */
  rung(): void;
  /** Something may have changed unheard: peers, the name. `closedBell`: the thread with this bell is gone. */
  look(closedBell: number | undefined): void;
}

/** All waits of one handle. */
export class Waiting {
  readonly #segment: Segment;
  readonly #looks: Looks | undefined;
  readonly #parked = new Set<Parked>();
  #bell: Bell | undefined;
  #key = 0;
  /** What the slot says of our bell. */
  #shown = 0;
  /** Of a read-only handle, which nobody can ring for: it looks by itself. */
  #blindTimer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #keepAlive = false;
  #closed = false;

  constructor(segment: Segment, looks?: Looks) {
    this.#segment = segment;
    this.#looks = looks;
  }

  /** Whether {@link ref} is in force. */
  get keepsAlive(): boolean {
    return this.#keepAlive;
  }

  /**
   * Waits until `isReady()`, for what `point` stands for. `isReady` is called at any time, any number of times, and must be cheap; when it
   * throws, so does this. Resolves also when the handle is closed.
   *
   * @throws the reason of `signal`
   */
  async until(point: WaitPoint, isReady: () => boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    while (!this.#closed && !isReady()) {
      await this.#park(point, isReady, signal);
      // Between being woken and looking again it may have been aborted.
      signal?.throwIfAborted();
    }
  }

  /**
   * The same with the thread blocked, at most for `timeoutMs`; looks by itself each `lookMs`. For worker threads, whose event loop can wait.
   *
   * @returns false when the time was up.
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`
   */
  untilSync(
    point: WaitPoint,
    isReady: () => boolean,
    timeoutMs: number = Infinity,
    lookMs: number = FIRST_LOOK_MS,
  ): boolean {
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
    this.#segment.assertWritable();
    const deadline = performance.now() + timeoutMs;
    const { words } = this.#segment;
    try {
      while (!isReady()) {
        const left = deadline - performance.now();
        if (left <= 0) return false;
        const bits = this.#bits() | point.bit | BLOCKED_BIT;
        point.arm(bits);
        // The last look: see the head of wait-point.ts.
        if (isReady()) return true;
        this.#segment.counters.add(Counter.slept);
        block(words, slotWord(this.#segment.participant.slot) + SLOT_SLEEPS, bits, Math.min(left, lookMs));
      }
      return true;
    } finally {
      point.disarm(this.#bits());
      // Those who are parked in the event loop may have been rung for meanwhile.
      if (this.#parked.size > 0) this.lookSoon();
    }
  }

  /** Rings for everybody who sleeps for `point`. To be called after publishing; does next to nothing when nobody does. */
  signal(point: WaitPoint): void {
    if (!point.mayHaveSleepers) return;
    for (const sleeper of point.takeSleepers()) this.wake(sleeper);
  }

  /** Wakes one who was taken. */
  wake({ slot, bell, key, isBlocked }: Sleeper): void {
    if (this.#closed) return;
    this.#segment.counters.add(Counter.rung);
    if (isBlocked && process.platform === 'linux')
      loadedAddon().futexWake(this.#segment.words, slotWord(slot) + SLOT_SLEEPS, 1);
    else this.ring(bell, key);
  }

  /** Rings for handle `key` of the bell with this number. */
  ring(bell: number, key: number): void {
    if (!this.#closed) this.#join().ring(bell, key);
  }

  /** Rings for the participant in `slot`, whatever it sleeps for. */
  ringSlot(slot: number): void {
    if (this.#closed || slot < 0 || slot >= this.#segment.participants.count) return;
    const base = slotWord(slot);
    this.ring(load(this.#segment.words, base + SLOT_BELL), load(this.#segment.words, base + SLOT_KEY));
  }

  /** Connects to the thread of the participant in `slot`, so that its end is noticed; returns the number of its bell. */
  watch(slot: number): number {
    if (this.#closed || slot < 0 || slot >= this.#segment.participants.count) return 0;
    const id = load(this.#segment.words, slotWord(slot) + SLOT_BELL);
    this.#join().connect(id);
    return id;
  }

  /** Whether the end of the thread with this bell is told by a connection that closes, so that nobody need ask for it. */
  isWatched(bell: number): boolean {
    return this.#bell?.isConnected(bell) === true;
  }

  /** The thread with this bell is proven dead: its file goes. */
  forget(bell: number): void {
    if (!this.#closed) this.#join().probe(bell);
  }

  /** Looks now: those who are parked for what is there are woken. */
  look(): void {
    for (const parked of this.#parked) {
      try {
        if (parked.isReady() || !this.#rearm(parked)) parked.resolve();
      } catch (error) {
        parked.reject(error);
      }
    }
  }

  /** Looks in the next turn of the event loop: for what nobody rings for. */
  lookSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      if (!this.#closed) this.look();
    });
  }

  /** Makes this handle one that can be rung for, and looked after by the timer, before it sleeps for the first time. */
  begin(): void {
    this.#join();
  }

  /** Keeps the process alive while the handle is open. */
  ref(): void {
    if (this.#keepAlive) return;
    this.#keepAlive = true;
    if (this.#segment.readOnly) this.#lookBlindly();
    else this.#join().ref();
    this.#blindTimer?.ref();
  }

  /** Lets the process end although the handle is open, as at first. */
  unref(): void {
    if (!this.#keepAlive) return;
    this.#keepAlive = false;
    this.#bell?.unref();
    this.#blindTimer?.unref();
  }

  /** Ends all waits. Before the handle leaves its slot. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.unref();
    this.#closed = true;
    clearInterval(this.#blindTimer);
    clearImmediate(this.#soon);
    if (this.#bell !== undefined) {
      const slot = slotWord(this.#segment.participant.slot);
      // The bell outlives the handle, and is nobody's to remove with this slot.
      store(this.#segment.words, slot + SLOT_BELL, 0);
      this.#bell.leave(this.#key);
    }
    // Each looks for itself, and finds the end.
    for (const parked of this.#parked) parked.resolve();
  }

  #park(point: WaitPoint, isReady: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    const { readOnly } = this.#segment;
    if (readOnly) this.#lookBlindly();
    const bell = readOnly ? undefined : this.#join();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#parked.delete(parked);
        signal?.removeEventListener('abort', abort);
        // What nobody waits for any more is not to be rung for.
        if (!this.#closed && !readOnly) point.disarm(this.#bits());
      };
      const abort = (): void => parked.reject(signal?.reason);
      const parked: Parked = {
        point,
        isReady,
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#parked.add(parked);
      bell?.slept(this.#key);
      this.#segment.counters.add(Counter.slept);
      if (!readOnly) point.arm(this.#bits());
      // The last look: see the head of wait-point.ts.
      try {
        if (isReady()) parked.resolve();
      } catch (error) {
        parked.reject(error);
      }
    });
  }

  /** Makes sure that shared memory says we sleep; false when at the last look there was no need. */
  #rearm(parked: Parked): boolean {
    const bits = this.#bits();
    if (this.#segment.readOnly || parked.point.isArmed(bits)) return true;
    parked.point.arm(bits);
    return !parked.isReady();
  }

  #lookBlindly(): void {
    if (this.#blindTimer !== undefined) return;
    this.#blindTimer = setInterval(() => {
      this.look();
      if (!this.#closed) this.#looks?.look(undefined);
    }, BLIND_LOOK_MS);
    if (!this.#keepAlive) this.#blindTimer.unref();
  }

  #bits(): number {
    let bits = 0;
    for (const { point } of this.#parked) bits |= point.bit;
    return bits;
  }

  #join(): Bell {
    if (this.#bell === undefined) {
      const { path } = this.#segment;
      this.#bell = Bell.for({ directory: dirname(path), ...permissionsOf(path) });
      this.#key = this.#bell.join({
        rung: () => {
          this.look();
          if (!this.#closed) this.#looks?.rung();
        },
        look: (closedBell) => {
          this.#show();
          this.look();
          if (!this.#closed) this.#looks?.look(closedBell);
        },
      });
      this.#show();
    }
    return this.#bell;
  }

  /** Says in our slot where to ring for us. */
  #show(): void {
    const id = this.#bell?.id ?? 0;
    if (this.#closed || id === this.#shown) return;
    const slot = slotWord(this.#segment.participant.slot);
    store(this.#segment.words, slot + SLOT_KEY, this.#key);
    store(this.#segment.words, slot + SLOT_BELL, id);
    this.#shown = id;
  }
}

/** Those of the segment, which its bells have too; of one that has gone meanwhile, the least. */
function permissionsOf(path: string): { readonly mode: number; readonly gid: number } {
  try {
    const { mode, gid } = statSync(path);
    return { mode: mode & 0o777, gid };
  } catch {
    return { mode: 0o600, gid: process.getgid?.() ?? 0 };
  }
}

/** Blocks the thread while the word holds `bits`; where the system has no futex, for a millisecond. */
function block(words: Int32Array, index: number, bits: number, timeoutMs: number): void {
  if (process.platform === 'linux') loadedAddon().futexWait(words, index, bits, timeoutMs);
  else sleepSync(Math.min(timeoutMs, 1));
}
