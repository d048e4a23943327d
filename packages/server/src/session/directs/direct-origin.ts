/** What becomes of a direct message: on its way to a reader who is connected, waiting for one who is away, or refused. */
import { type Failure, FailureCode } from '@chat/protocol';
import { entryBytes } from '@chat/protocol/frames';
import type { LogEntry, Origin } from '../../log/entry.js';
import type { SessionState } from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import type { SessionDirectory } from '../context.js';

/** Told what became of a direct message, by one of the two, once. */
export interface DirectSender {
  accepted(entry: LogEntry, outcome: Outcome, isWaiting: boolean): void;
  refused(failure: Failure, publishId: number): void;
}

/**
 * The origin of a direct message, for which there is space while it is on its way; or why it cannot wait for its reader.
 *
 * @param contentBytes of the name of its sender, and of its body
 */
export function directOrigin(
  sessions: SessionDirectory,
  to: SessionState,
  contentBytes: number,
  sender: DirectSender,
): Origin | Failure {
  const bytes = entryBytes(0, contentBytes);
  const held = sessions.byMember(to.memberId);
  // Whether somebody at another process is away, and how much of its inbox it has read, is not known here.
  const space = held?.peer ? undefined : held?.waiting;
  const failure = space?.expect(bytes);
  if (failure) return { ...failure, message: `${to.name} is ${failure.message}` };
  return {
    appended: (entry, outcome) => {
      space?.arrived(bytes);
      // The reader went while the log thought about it: nobody will read this.
      const isMoved = outcome.kind === 'void' && outcome.reason === 'held-elsewhere';
      const isGone = outcome.kind === 'void' || !sessions.isHere(to);
      if (isGone && !isMoved) sender.refused(noSuchUser(to.name), entry.publishId);
      else sender.accepted(entry, outcome, sessions.isAway(to));
    },
    refused: (reason, publishId) => {
      space?.arrived(bytes);
      sender.refused(reason, publishId);
    },
  };
}

export function noSuchUser(name: string): Failure {
  return { code: FailureCode.NoSuchUser, message: `nobody here is called ${name}` };
}
