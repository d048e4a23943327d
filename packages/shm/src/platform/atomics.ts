/**
 * The only file that names `Atomics`: every word that another process may change is read and written through here.
 *
 * What is relied on. V8 carries out `Atomics` on any Int32Array, shared or not, as sequentially consistent machine
 * atomics on the backing memory, and never moves a plain access across such a call. Hence, on every CPU:
 *
 * - *message passing* is right as it stands: plain payload, `store(flag)` | `load(flag)`, plain payload. What was
 *   written before the store is seen by whoever sees the store.
 * - *store, then load another word* (Dekker: "I wait" against "I published") is right: both are sequentially consistent.
 *
 * What is not covered on weakly ordered CPUs (arm64): a plain load may sink below a later atomic load, and a plain store
 * may rise above an earlier atomic store, since acquire and release are one-way. {@link fence} closes both: a store and a load
 * of a private word. All that precedes stays before the store (release), the store stays before the load (both
 * sequentially consistent), the load stays before all that follows (acquire). On x86-64 the store is a locked exchange,
 * which is a full fence by itself. A reader of data that may be overwritten does: load version, copy, fence, load
 * version. A writer that announces an overwrite does: store intent, fence, copy, store version.
 *
 * In a test build each store and swap is a kill point, before and after.
 */
import { STEPS, step } from './step.js';

const privateWord = new Int32Array(1);
const sleepWord = new Int32Array(new SharedArrayBuffer(4));

/** Reads a word that other processes write. */
export function load(words: Int32Array, index: number): number {
  return Atomics.load(words, index);
}

/** Writes a word that other processes read, after everything that was written before. */
export function store(words: Int32Array, index: number, value: number): void {
  if (STEPS) step(`before store ${index}`);
  Atomics.store(words, index, value);
  if (STEPS) step(`after store ${index}`);
}

/** Writes `replacement` if the word holds `expected`; returns what it held. */
export function compareExchange(
  words: Int32Array,
  index: number,
  expected: number,
  replacement: number,
): number {
  if (STEPS) step(`before compareExchange ${index}`);
  const seen = Atomics.compareExchange(words, index, expected, replacement);
  if (STEPS) step(`after compareExchange ${index}`);
  return seen;
}

/** Writes a word, as {@link store}, and returns what it held. */
export function exchange(words: Int32Array, index: number, value: number): number {
  if (STEPS) step(`before exchange ${index}`);
  const seen = Atomics.exchange(words, index, value);
  if (STEPS) step(`after exchange ${index}`);
  return seen;
}

/** Adds to a word, modulo 2^32, and returns what it held. */
export function add(words: Int32Array, index: number, delta: number): number {
  if (STEPS) step(`before add ${index}`);
  const seen = Atomics.add(words, index, delta);
  if (STEPS) step(`after add ${index}`);
  return seen;
}

/** Keeps every access before it before every access after it, plain ones included. See the head of this file. */
export function fence(): void {
  Atomics.store(privateWord, 0, 0);
  Atomics.load(privateWord, 0);
}

const atomicsPause = (Atomics as { pause?: () => void }).pause;

/** Tells the CPU that this is a spin loop, where Node can; otherwise costs a few nanoseconds. */
export function pause(): void {
  if (atomicsPause !== undefined) atomicsPause.call(Atomics);
}

/** Blocks this thread, and nothing else, for `milliseconds`. */
export function sleepSync(milliseconds: number): void {
  Atomics.wait(sleepWord, 0, 0, milliseconds);
}
