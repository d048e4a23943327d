/**
 * Whether the process has memory for more people. When it runs short, history gives some up first. When that is not
 * enough, newcomers are sent away with `overloaded`, which tells them when to try again; whoever is in stays in.
 *
 * Looked at now and then, since asking the operating system costs more than a connection may.
 */
import { getHeapStatistics } from 'node:v8';
import type { TimerWheel } from '../time/timer-wheel.js';

/** Memory that a process uses, and may use. */
export interface MemoryUse {
  /** Memory of the process that is in use. */
  readonly residentBytes: number;
  /** Of V8's heap. */
  readonly heapBytes: number;
  /** What V8's heap may have. */
  readonly maxHeapBytes: number;
}

const LOOK_EVERY_MS = 1000;
/** Above this part of the limit history gives up some of its own. */
const GIVE_UP_SHARE = 0.9;
/** Memory that was given up stays resident until it is collected as garbage. It counts as free from the start. */
const COLLECTED_AFTER_MS = 30_000;
/** V8 ends the process at the limit of its heap, and works hard before. */
const HEAP_SHARE = 0.9;

export class MemoryGuard {
  readonly #maxBytes: () => number;
  readonly #look: () => MemoryUse;
  /** Told each time that it changes. */
  readonly #onChange: (isShort: boolean, use: MemoryUse) => void;
  readonly #giveUp: (wantedBytes: number) => number;
  /** Memory that was given up lately. */
  #uncollected: { readonly bytes: number; readonly until: number }[] = [];
  #isShort = false;

  /**
   * @param maxBytes resident memory above which there is none for newcomers; asked each time, `Infinity` never looks
   * @param giveUp frees up to so many bytes, and answers how many it freed
   */
  constructor(
    maxBytes: () => number,
    wheel: TimerWheel,
    onChange: (isShort: boolean, use: MemoryUse) => void,
    look: () => MemoryUse = lookAtProcess,
    giveUp: (wantedBytes: number) => number = () => 0,
  ) {
    this.#maxBytes = maxBytes;
    this.#onChange = onChange;
    this.#look = look;
    this.#giveUp = giveUp;
    this.#update(wheel.now);
    wheel.repeat(LOOK_EVERY_MS, (now) => {
      this.#update(now);
      return LOOK_EVERY_MS;
    });
  }

  /** Whether nobody new should come in. */
  get isShort(): boolean {
    return this.#isShort;
  }

  #update(now: number): void {
    const maxBytes = this.#maxBytes();
    if (maxBytes === Number.POSITIVE_INFINITY) {
      this.#isShort = false;
      return;
    }
    const use = this.#look();
    this.#uncollected = this.#uncollected.filter(({ until }) => until > now);
    const uncollected = this.#uncollected.reduce((sum, { bytes }) => sum + bytes, 0);
    let residentBytes = use.residentBytes - uncollected;
    const wanted = Math.ceil(residentBytes - maxBytes * GIVE_UP_SHARE);
    if (wanted > 0) {
      const bytes = this.#giveUp(wanted);
      residentBytes -= bytes;
      if (bytes > 0) this.#uncollected.push({ bytes, until: now + COLLECTED_AFTER_MS });
    }
    const isShort = residentBytes > maxBytes || use.heapBytes > use.maxHeapBytes * HEAP_SHARE;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    this.#onChange(isShort, use);
  }
}

function lookAtProcess(): MemoryUse {
  const { used_heap_size: heapBytes, heap_size_limit: maxHeapBytes } = getHeapStatistics();
  return { residentBytes: process.memoryUsage.rss(), heapBytes, maxHeapBytes };
}
