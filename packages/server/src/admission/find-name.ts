/** The name that somebody gets who is let in, and who has to go for it. */
import { CloseCode } from '@chat/protocol';
import { isSecretOf } from '../log/claims.js';
import type { SessionState } from '../log/state/chat-state.js';
import { claimKick } from '../session/shared/claim-kick.js';
import type { AdmissionContext, AdmissionRequest } from './context.js';
import { nameTaken, outdated, type Refusal } from './refusals.js';
import { suffixed } from './suffixed.js';

/**
 * Finds the name that a new session gets: free at the moment of the answer.
 *
 * @param takesOver what `authenticate` said of that
 */
export function findName(
  context: AdmissionContext,
  wanted: string,
  request: AdmissionRequest,
  takesOver: boolean | undefined,
): string | Refusal {
  const { bans, options, sessions } = context;
  const { duplicateNames, hooks } = options;
  const holder = sessions.holderOf(wanted);
  if (!holder) return wanted;
  // Goes on once the former one has let go of the name: a name may look like those of two members.
  const instead = (reason: string): string | Refusal => {
    replace(context, holder, reason);
    const next = sessions.holderOf(wanted);
    return !next || next === holder ? wanted : findName(context, wanted, request, takesOver);
  };
  if (request.clientSecret !== undefined && isSecretOf(holder.clientHash, request.clientSecret)) {
    // The welcome of that session never arrived, or it was given up: its client begins anew.
    if (isOutdated(context, request, holder)) return outdated();
    return instead('the client began anew over another connection');
  }
  if (takesOver && holder.account === wanted) return instead('you came in once more, somewhere else');
  switch (duplicateNames) {
    case 'refuse':
      break;
    case 'takeover':
      // Without a hook that knows people, anybody could show anybody out by saying a name.
      if (!hooks.authenticate || takesOver !== undefined) break;
      return instead('somebody came in under this name');
    case 'suffix': {
      const isFree = (name: string): boolean =>
        sessions.holderOf(name) === undefined &&
        !hooks.isReserved?.(name) &&
        bans.remainingMs(name, '', options.clock.monotonic()) === 0;
      const free = suffixed(wanted, options.random, isFree);
      if (free !== undefined) return free;
    }
  }
  return nameTaken();
}

/** protocol.md, "Beginning": whether a later hello of the same client has been answered already. */
export function isOutdated(
  { sessions }: AdmissionContext,
  { clientSecret, attempt }: AdmissionRequest,
  known: SessionState,
): boolean {
  const last = sessions.byMember(known.memberId)?.attempt ?? known.place?.attempt;
  return (
    attempt !== undefined &&
    last !== undefined &&
    isSecretOf(known.clientHash, clientSecret) &&
    attempt <= last
  );
}

/** Shows a session out whose name somebody else gets. */
function replace(context: AdmissionContext, { memberId }: SessionState, reason: string): void {
  const kick = { code: CloseCode.SessionReplaced, reason };
  if (context.log.process !== undefined) claimKick(context, memberId, kick);
  else context.sessions.byMember(memberId)?.kick(kick);
}
