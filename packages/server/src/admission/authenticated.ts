/** What the `authenticate` hook says of somebody who wants in, for as long as somebody waits for it. */
import { CloseCode } from '@chat/protocol';
import { hashSecret } from '../log/claims.js';
import type { SessionState } from '../log/state/chat-state.js';
import { deviceOf, userOf } from '../log/state/session-number.js';
import type { AuthenticateResult, ClientRequest, VisitorRefusal } from '../options/hooks.js';
import type { Peer } from '../session/peer.js';
import type { AdmissionContext, AdmissionRequest } from './context.js';
import type { Refusal } from './refusals.js';

/** What `authenticate` says of somebody who is let in. */
export type Verdict = Extract<AuthenticateResult, { ok: true }>;

/**
 * Asks the hook.
 *
 * @param known the session that the request proves to have had
 * @throws what the hook throws; RangeError when it gives a time that makes no sense
 */
export async function authenticated(
  { options, sessions }: Pick<AdmissionContext, 'options' | 'sessions'>,
  { name, credentials, clientSecret }: AdmissionRequest,
  peer: Peer,
  signal: AbortSignal | undefined,
  known: SessionState | undefined,
): Promise<Verdict | Refusal> {
  const { authenticate } = options.hooks;
  if (!authenticate) return { ok: true };
  const held = known && sessions.byMember(known.memberId);
  const former = known && {
    memberId: userOf(known.memberId),
    device: deviceOf(known.memberId),
    name: known.name,
    claims: held?.info.claims,
  };
  const { address, dialect } = peer;
  const visitor = {
    ...(former ?? { memberId: 0, device: 0, name, claims: undefined }),
    address,
    dialect,
    request: requestOf(peer, clientSecret),
  };
  const decision = authenticate(credentials, visitor, signal ?? new AbortController().signal);
  const result = await unlessAborted(decision, signal);
  if (result === TOO_LATE) return { code: CloseCode.HandshakeTimeout, reason: 'the handshake took too long' };
  if (!result.ok) return refusalOf(result);
  const { expiresInMs } = result;
  if (expiresInMs !== undefined && !(expiresInMs > 0)) {
    throw new RangeError(`expiresInMs of authenticate must be positive, got ${expiresInMs}`);
  }
  return result;
}

const CODES: Readonly<Record<VisitorRefusal, CloseCode>> = {
  unauthorized: CloseCode.Unauthorized,
  forbidden: CloseCode.Forbidden,
  'name-taken': CloseCode.NameTaken,
  'rate-limited': CloseCode.RateLimited,
  overloaded: CloseCode.Overloaded,
};

function refusalOf({
  reason = 'not authorized',
  code = 'unauthorized',
  retryAfterMs,
  asks,
}: Extract<AuthenticateResult, { ok: false }>): Refusal {
  const told = Object.hasOwn(CODES, code) ? CODES[code] : CloseCode.Unauthorized;
  return {
    code: told,
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(asks === 'password' ? { asksPassword: true } : {}),
  };
}

/** Looked into by the hooks that want to know, not before. */
function requestOf({ request }: Peer, clientSecret: string | undefined): ClientRequest {
  return {
    headers: request?.headers ?? {},
    url: request?.url ?? '',
    get query() {
      return request?.query ?? new URLSearchParams();
    },
    get cookies() {
      return request?.cookies ?? new Map();
    },
    get certificate() {
      return request?.certificate;
    },
    clientId: clientSecret === undefined ? '' : hashSecret(clientSecret),
  };
}

const TOO_LATE = Symbol('nobody waits any more');

/** What a hook decides; `TOO_LATE` once nobody waits for it any more, whether or not it ever settles. */
async function unlessAborted<T>(
  decision: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | typeof TOO_LATE> {
  if (!signal) return decision;
  const aborted = new Promise<typeof TOO_LATE>((resolve) => {
    if (signal.aborted) resolve(TOO_LATE);
    else signal.addEventListener('abort', () => resolve(TOO_LATE), { once: true });
  });
  return Promise.race([decision, aborted]);
}
