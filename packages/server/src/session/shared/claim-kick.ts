/** Showing somebody out where several processes share the log: whoever holds the session, it is an entry that ends it. */
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { claim } from '../../log/claims.js';
import { ClaimKind, type Origin } from '../../log/entry.js';
import type { EventLog } from '../../log/event-log.js';
import type { SteadyAppender } from '../../log/steady-appender.js';
import type { Clock } from '../../time/clock.js';
import type { Kick } from '../kicked-sessions.js';
import type { Leaving } from '../memberships.js';

/** What it needs of the server. */
export interface ClaimKickContext {
  readonly log: EventLog;
  readonly steady: SteadyAppender;
  readonly options: { readonly clock: Clock; readonly resumeWindowMs: number };
}

/** Ends a session; its client is told why, now or when it comes back. */
export function claimKick(context: ClaimKickContext, memberId: number, { code, reason, banned }: Kick): void {
  const { clock, resumeWindowMs } = context.options;
  const until = clock.now() + resumeWindowMs;
  const fields = { code, reason, until, ...(banned ? { banned } : {}) };
  append(context, context.steady, ClaimKind.SessionKicked, memberId, fields, NoticeKind.Left);
}

/** Ends a session that no process holds, and whose client has not come back. */
export function claimUnheldEnd(context: ClaimKickContext, memberId: number): void {
  // A log that refuses is asked again by the next look at those who are not held.
  append(context, context.log, ClaimKind.SessionEnded, memberId, undefined, NoticeKind.Gone);
}

function append<Kind extends typeof ClaimKind.SessionKicked | typeof ClaimKind.SessionEnded>(
  context: ClaimKickContext,
  to: Pick<EventLog, 'append'>,
  kind: Kind,
  sender: number,
  fields: Parameters<typeof claim<Kind>>[2],
  leaving: Leaving,
): void {
  const { options } = context;
  const origin: Origin = {
    appended: (_entry, outcome) => {
      if (outcome.kind !== 'session-ended' && outcome.kind !== 'session-kicked') return;
      // Its rooms are told behind it: nobody else does.
      const { memberId, name } = outcome.session;
      for (const { key } of outcome.left) tellGone(context, memberId, name, key, leaving);
    },
    refused: () => {},
  };
  to.append(claim(kind, { sender, at: options.clock.now(), origin }, fields));
}

/** Takes somebody out of a room whose session no process holds, or none any more. */
export function tellGone(
  { steady, options }: ClaimKickContext,
  memberId: number,
  name: string,
  key: string,
  kind: Leaving,
): void {
  steady.append({
    room: key,
    type: FrameType.Notice,
    codec: 0,
    kind,
    sender: memberId,
    name: Buffer.from(name),
    body: new Uint8Array(0),
    at: options.clock.now(),
    publishId: 0,
    origin: undefined,
  });
}
