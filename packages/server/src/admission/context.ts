/** What admission is asked, and what it needs of the server. */
import type { Hello } from '@chat/protocol/frames';
import type { InputAccounts } from '../limits/input-account.js';
import type { MemoryGuard } from '../limits/memory-guard.js';
import type { ChatState } from '../log/state/chat-state.js';
import type { SessionContext } from '../session/context.js';
import type { Sessions } from '../session/sessions.js';
import type { SessionsElsewhere } from '../session/shared/elsewhere.js';

/** What is asked of admission. Parts that a dialect does not have are left out. */
export type AdmissionRequest = Pick<Hello, 'name' | 'credentials' | 'resume' | 'clientSecret' | 'attempt'>;

/** What admission needs of the server. */
export interface AdmissionContext extends SessionContext {
  readonly sessions: Sessions;
  readonly elsewhere: SessionsElsewhere;
  readonly accounts: InputAccounts;
  readonly memory: MemoryGuard;
  readonly state: ChatState;
}
