/** What connections and dialects work with; see `session/context.ts`. */
import type { Admission } from '../admission/admission.js';
import type { InputAccounts } from '../limits/input-account.js';
import type { MemoryGuard } from '../limits/memory-guard.js';
import type { SessionContext } from '../session/context.js';

/** What a connection, in whatever dialect, needs of the server. */
export interface ConnectionContext
  extends Pick<
    SessionContext,
    'options' | 'log' | 'rooms' | 'fanOut' | 'bans' | 'addresses' | 'wheel' | 'counters' | 'refusals'
  > {
  readonly admission: Admission;
  /** What each client may send and cause, and each address. */
  readonly accounts: InputAccounts;
  readonly memory: MemoryGuard;
}
