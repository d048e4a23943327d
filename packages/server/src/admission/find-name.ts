/**
 * The name that somebody gets who is let in, and who has to go for it. Sessions of one account have one name; where they
 * may not, and for guests, `duplicateNames` decides.
 */
import { CloseCode } from '@chat/protocol';
import { isSecretOf } from '../log/claims.js';
import type { SessionState } from '../log/state/chat-state.js';
import { userOf } from '../log/state/session-number.js';
import { claimKick } from '../session/shared/claim-kick.js';
import type { Verdict } from './authenticated.js';
import type { AdmissionContext, AdmissionRequest } from './context.js';
import { nameTaken, outdated, type Refusal, tooManySessions } from './refusals.js';
import { suffixed } from './suffixed.js';

const CAME_AGAIN = 'you came in once more, somewhere else';

/** Whether a session is one more of its user, when others of the same account are here. */
export function mayShare(
  { maxSessionsPerUser }: { readonly maxSessionsPerUser: number },
  { name }: Verdict,
): boolean {
  return name !== undefined && maxSessionsPerUser > 1;
}

/**
 * Finds the name that a new session gets: that of its user, or one that is free at the moment of the answer.
 *
 * @param verdict what `authenticate` said
 */
export function findName(
  context: AdmissionContext,
  wanted: string,
  request: AdmissionRequest,
  verdict: Verdict,
): string | Refusal {
  const { bans, options, sessions } = context;
  const { duplicateNames, hooks } = options;
  if (verdict.name !== undefined) {
    const shared = nameOfUser(context, sessions.ofAccount(verdict.name), request, verdict);
    if (shared !== undefined) return shared;
  }
  const holder = sessions.holderOf(wanted);
  if (!holder) return wanted;
  // Goes on once the former one has let go of the name: a name may look like those of two members.
  const instead = (reason: string): string | Refusal => {
    for (const session of sessions.ofUser(userOf(holder.memberId))) replace(context, session, reason);
    const next = sessions.holderOf(wanted);
    return !next || next === holder ? wanted : findName(context, wanted, request, verdict);
  };
  if (request.clientSecret !== undefined && isSecretOf(holder.clientHash, request.clientSecret)) {
    // The welcome of that session never arrived, or it was given up: its client begins anew.
    if (isOutdated(context, request, holder)) return outdated();
    return instead('the client began anew over another connection');
  }
  switch (duplicateNames) {
    case 'refuse':
      break;
    case 'takeover':
      // Without a hook that knows people, anybody could show anybody out by saying a name.
      if (!hooks.authenticate || verdict.takesOver !== undefined) break;
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

/** The name of a user who has these sessions, after one that is in the way has gone; `undefined` when there are none. */
function nameOfUser(
  context: AdmissionContext,
  sessions: readonly SessionState[],
  request: AdmissionRequest,
  { takesOver }: Verdict,
): string | Refusal | undefined {
  const [first] = sessions;
  if (!first) return undefined;
  const { maxSessionsPerUser: max, duplicateNames } = context.options;
  const { clientSecret } = request;
  const former = sessions.find(({ clientHash }) => isSecretOf(clientHash, clientSecret));
  if (former) {
    if (isOutdated(context, request, former)) return outdated();
    replace(context, former, 'the client began anew over another connection');
  } else if (sessions.length >= max) {
    if (!(takesOver ?? duplicateNames === 'takeover')) return max > 1 ? tooManySessions(max) : undefined;
    const oldest = sessions.find((session) => context.sessions.isAway(session)) ?? first;
    replace(context, oldest, max > 1 ? `you came in ${max} times after this` : CAME_AGAIN);
  }
  return first.name;
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
