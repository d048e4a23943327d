/**
 * Every decision of a run, from its seed. A decision is a function of the seed and of what it is about (the fourth life of
 * the server, the ninth connection through the proxy, the next act of somebody), never of the moment at which it is made:
 * so two runs with one seed decide alike, although the machine does not run alike.
 */
import { seededRandom } from '../support/cutting-proxy.js';

/** Numbers from 0 to 1 for one subject. */
export function decisions(seed: number, ...subject: readonly (string | number)[]): Decisions {
  // FNV-1a.
  let hash = 0x811c9dc5 ^ seed;
  for (const char of subject.join(' ')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x0100_0193);
  const random = seededRandom(hash);
  return {
    random,
    between: (least, most) => least + Math.floor(random() * (most - least + 1)),
    chance: (share) => random() < share,
    pick: (items) => items[Math.floor(random() * items.length)]!,
  };
}

/** Decisions about one subject, one after the other. */
export interface Decisions {
  readonly random: () => number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** What is wrong with the disk while a server lives. */
export type Fault = 'none' | 'full' | 'broken' | 'slow';

/** How one process of the server lives and dies. */
export interface Life {
  /** It is killed so long after it was started, ready or not; undefined: only once it is ready. */
  readonly killAfterStartMs: number | undefined;
  /** It is killed so long after it was ready… */
  readonly killAfterReadyMs: number;
  /** …and that many acknowledgements more. */
  readonly killAfterAcks: number;
  readonly fault: Fault;
  /** So long after it was ready the fault begins; so long it lasts, if the process lives. */
  readonly faultAfterMs: number;
  readonly faultMs: number;
}

/** @param number - of the life, from 1 on */
export function lifeOf(seed: number, number: number, hasFaults: boolean): Life {
  const { between, chance, pick } = decisions(seed, 'life', number);
  const life = {
    killAfterStartMs: chance(0.1) ? between(20, 800) : undefined,
    // Some die while everybody comes back, most in the middle of the talk.
    killAfterReadyMs: chance(0.3) ? between(0, 250) : between(250, 2500),
    killAfterAcks: between(0, 20),
    fault: chance(0.25) ? pick(['full', 'full', 'broken', 'slow'] as const) : ('none' as const),
    faultAfterMs: between(0, 600),
    faultMs: between(200, 1500),
  };
  return hasFaults ? life : { ...life, fault: 'none' };
}
