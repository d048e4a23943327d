/** The child of the kill harness. Flags are stored with `Atomics` of the language, so each of those stores is a kill point as well. */
import { obeyAll } from '../../../../packages/shm/test/support/obey.js';
import { conversationScenarios } from './scenarios.js';

const { store } = Atomics;
const step = (label: string): void =>
  (globalThis as { [key: symbol]: ((label: string) => void) | undefined })[Symbol.for('@chat/shm/step')]?.(
    label,
  );

Atomics.store = ((words: Int32Array, index: number, value: number): number => {
  step(`before Atomics.store ${index}`);
  const stored = store(words, index, value);
  step(`after Atomics.store ${index}`);
  return stored;
}) as typeof Atomics.store;

await obeyAll(conversationScenarios);
