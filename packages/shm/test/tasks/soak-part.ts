/**
 * One structure under random kills: several processes use it at the same time, each doing {@link SoakPart.act} over and over, while
 * the soak stops, continues and kills them at random instants and starts others in their place.
 */
import type { Place } from '../support/scenario.js';

export interface SoakPart<Prepared = unknown> {
  readonly name: string;
  /** Once, in the soak itself, before any process is started. */
  create(place: Place): void;
  /** In each process. */
  prepare(place: Place, random: (below: number) => number): Prepared;
  /** In each process, again and again: one operation, and a check of what it sees. Throws when an invariant is broken. */
  act(prepared: Prepared, random: (below: number) => number): void | Promise<void>;
  /** Once, at the end, after all processes were killed. Throws when an invariant is broken; may return numbers to print. */
  verify(place: Place): Record<string, number>;
}
