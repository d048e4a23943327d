/**
 * What becomes of a direct message: on its way to a user who is connected, waiting for one whose sessions are all away, or
 * refused.
 */
import { type Failure, FailureCode } from '@chat/protocol';
import { entryBytes } from '@chat/protocol/frames';
import type { LogEntry, Origin } from '../../log/entry.js';
import type { SessionState } from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import { userOf } from '../../log/state/session-number.js';
import type { SessionDirectory } from '../context.js';
import { isBlocked } from '../user/blocks.js';

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
  const user = userOf(to.memberId);
  // One that is connected reads it. How much of its inbox somebody at another process has read is not known here.
  const all = sessions.ofUser(user);
  const held = all
    .map(({ memberId }) => sessions.byMember(memberId))
    .find((session) => session !== undefined);
  const space = all.every((session) => sessions.isAway(session)) ? held?.waiting : undefined;
  const failure = space?.expect(bytes);
  if (failure) return { ...failure, message: `${to.name} is ${failure.message}` };
  return {
    appended: (entry, outcome) => {
      space?.arrived(bytes);
      // The reader went while the log thought about it: nobody will read this.
      const isMoved = outcome.kind === 'void' && outcome.reason === 'held-elsewhere';
      const readers = sessions.ofUser(user);
      const isRefused =
        outcome.kind === 'void' && (outcome.reason === 'muted' || outcome.reason === 'blocked');
      const isGone = outcome.kind === 'void' || readers.length === 0;
      if (outcome.kind === 'void' && outcome.reason === 'blocked')
        sender.refused(isBlocked(to.name), entry.publishId);
      else if (isGone && !isMoved && !isRefused) sender.refused(noSuchUser(to.name), entry.publishId);
      else
        sender.accepted(
          entry,
          outcome,
          readers.every((session) => sessions.isAway(session)),
        );
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
