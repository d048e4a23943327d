/**
 * Kill points: names for the instants between two effects on shared memory or on the file system.
 *
 * A test build is made with `__CHAT_SHM_STEPS__` defined as true and sets a hook on `globalThis`; the hook can then kill,
 * stop or pause the process at exactly the k-th step of an operation. The published build is made with false, so that
 * {@link STEPS} folds to a constant and every call to {@link step} disappears. Stores and compare-and-swaps of
 * `atomics.ts` are steps by themselves; what is named by hand is the rest: bulk copies and file operations.
 */
declare const __CHAT_SHM_STEPS__: boolean | undefined;

/** Whether this build has kill points. */
export const STEPS: boolean = typeof __CHAT_SHM_STEPS__ !== 'undefined' && __CHAT_SHM_STEPS__;

/** The property of `globalThis` that holds the hook in a test build: `(name: string) => void`. */
export const STEP_HOOK: unique symbol = Symbol.for('@chat/shm/step');

/** Marks a kill point. Does nothing, and costs nothing, in the published build. */
export function step(name: string): void {
  if (STEPS) (globalThis as { [STEP_HOOK]?: (name: string) => void })[STEP_HOOK]?.(name);
}
