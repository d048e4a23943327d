/** What somebody who may do so has decided: the fields of a claim of kind Moderated. */
import type { Sanction } from '@chat/protocol/frames';
import type { ModerationAction } from './permissions.js';
import type { GivenRole, KeptSettings } from './rules.js';

/** What becomes different by a decision. */
export type Change =
  /** `person` has the role from now on, or none. */
  | { readonly what: 'role'; readonly person: string; readonly role: GivenRole | undefined }
  /** These in the place of those of the same names; false, 0 and the empty text take one away. */
  | { readonly what: 'settings'; readonly settings: KeptSettings }
  | { readonly what: 'impose'; readonly sanction: Omit<Sanction, 'at'>; readonly keys: readonly string[] }
  | { readonly what: 'pardon'; readonly kind: Sanction['kind']; readonly keys: readonly string[] };

/** Fields of a claim of kind Moderated. */
export interface Decision {
  readonly action: ModerationAction;
  /** Name of the one who decides: the member that is the sender of the claim, or an operator. */
  readonly by: string;
  /** The person whom it is done to, if there is one. */
  readonly against?: string;
  /** The `authorize` hook says that its sender may, whatever role it has. */
  readonly isAllowed?: true;
  /** Absent where the process that appended it carries it out, as a kick. */
  readonly change?: Change;
}
