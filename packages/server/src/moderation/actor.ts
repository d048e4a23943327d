import type { Session } from '../session/session.js';

/** Somebody who acts: a member, or whoever speaks for the program, under a name. */
export interface Actor {
  readonly session?: Session | undefined;
  readonly name: string;
}
