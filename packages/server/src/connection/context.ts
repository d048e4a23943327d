/** The parts of a server that connections and dialects work with; see `session/context.ts`. */
import type { Admission } from '../admission/admission.js';
import type { InputAccounts } from '../limits/input-account.js';
import type { MemoryGuard } from '../limits/memory-guard.js';
import type { Moderation } from '../moderation/moderation.js';
import type { SessionContext } from '../session/context.js';

/** The parts of a server that a connection needs, in any dialect. */
export interface ConnectionContext
  extends Pick<
    SessionContext,
    | 'options'
    | 'log'
    | 'rooms'
    | 'rules'
    | 'sessions'
    | 'fanOut'
    | 'bans'
    | 'addresses'
    | 'wheel'
    | 'counters'
    | 'refusals'
  > {
  readonly admission: Admission;
  readonly moderation: Moderation;
  /** Accounts of input, of each client and each address. */
  readonly accounts: InputAccounts;
  readonly memory: MemoryGuard;
}
