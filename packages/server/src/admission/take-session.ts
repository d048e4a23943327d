/**
 * A session that goes on at another process than before. No process hands it over: the one that its client has reached
 * appends that it is here now, and where that comes back from the log, it is.
 */
import { claim, isSecretOf } from '../log/claims.js';
import { ClaimKind, type Origin } from '../log/entry.js';
import type { SessionPlace, SessionState } from '../log/state/chat-state.js';
import type { Peer } from '../session/peer.js';
import { Session } from '../session/session.js';
import type { AdmissionContext, AdmissionRequest } from './context.js';
import { DRAINING, outdated, overloaded, type Refusal } from './refusals.js';

/** What other processes are told of where a session is. */
export function placeOf({ address, dialect }: Peer, attempt: number | undefined): SessionPlace {
  return { address, dialect, ...(attempt === undefined ? {} : { attempt }) };
}

/** Settled once this process knows what the others knew when it was called. */
export function behindBarrier({ log, options }: AdmissionContext): Promise<void> {
  return new Promise<void>((resolve) => {
    const origin: Origin = { appended: () => resolve(), refused: () => resolve() };
    log.append(claim(ClaimKind.Barrier, { at: options.clock.now(), origin }, undefined));
  });
}

/**
 * Has the log say that a session goes on here; `undefined` when there is none any more.
 *
 * @param goOn called at the place in the log where it is so, and not later: the session may be taken from here again
 */
export function takeSession<Result>(
  context: AdmissionContext,
  known: SessionState,
  request: AdmissionRequest,
  peer: Peer,
  goOn: (session: Session) => Result,
): Promise<Result | Refusal | undefined> {
  const { log, options, sessions } = context;
  return new Promise((resolve) => {
    const origin: Origin = {
      appended: (_entry, outcome) => {
        if (outcome.kind === 'session-taken') {
          resolve(goOn(sessions.byMember(known.memberId) ?? moveHere(context, known)));
        } else if (outcome.kind !== 'void') resolve(undefined);
        else if (outcome.reason === 'outdated') resolve(outdated());
        else if (outcome.reason === 'no-such-process') resolve(DRAINING);
        else resolve(undefined);
      },
      refused: ({ message }) => resolve(overloaded(message)),
    };
    const subject = { sender: known.memberId, at: options.clock.now(), origin };
    const isTheirs = isSecretOf(known.clientHash, request.clientSecret);
    log.append(claim(ClaimKind.SessionTaken, subject, placeOf(peer, isTheirs ? request.attempt : undefined)));
  });
}

/** A session that another process held, or one did that is gone. */
function moveHere(context: AdmissionContext, state: SessionState): Session {
  const { accounts, elsewhere, rooms, sessions } = context;
  const kept = elsewhere.take(state.memberId);
  const session = new Session(context, state, { input: accounts.open(''), kept });
  sessions.recovered(session);
  session.take(
    context.state.roomsOf(state.memberId).flatMap(({ key, members }) => {
      const room = rooms.byKey(key);
      return room ? { room, joinedSeq: members.get(state.memberId)! } : [];
    }),
  );
  return session;
}
