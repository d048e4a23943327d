/**
 * Everything that the API does, as a table: over HTTP, and for `chat-server admin`. A row is all that an operation
 * needs; its check, its route, its part of the OpenAPI document and its command follow from it.
 */
import {
  type AdjustableLimits,
  type ChatServer,
  LIMITS,
  type LimitName,
  ServerError,
  ServerErrorCode,
  type ServerStats,
} from '@chat/server';
import { entryBody } from './entry-body.js';
import {
  bodyNumber,
  bodyText,
  type Field,
  optional,
  pathText,
  queryCount,
  queryText,
  UNSEEN,
} from './fields.js';
import { MODERATION } from './operations/moderation.js';
import {
  type ApiContext,
  CURSOR,
  DURATION,
  LIMIT,
  type Operation,
  operation,
  REASON,
  ROOM,
  USER,
} from './operations/operation.js';
import { findRoom, pageOf } from './page.js';
import { type ApiAnswer, ApiError } from './problem.js';
import { sumOfStats } from './sum-of-stats.js';

export type { ApiContext, Operation } from './operations/operation.js';

/** Where the API lies. */
export const API_PATH = '/api/v1';

const TEXT = bodyText('what is said');
const AS = bodyText('the name that it is said under, by the rules of user names');
const LIMIT_FIELDS = Object.fromEntries(
  Object.entries(LIMITS)
    .filter(([, { adjustable }]) => adjustable)
    .map(([name, { text, least, mayBeInfinite }]) => [name, bodyNumber(text, least ?? 1, mayBeInfinite)]),
) as Readonly<Record<string, Field<number | undefined>>>;

export const OPERATIONS: readonly Operation[] = [
  ...MODERATION,
  operation({
    id: 'publish',
    method: 'POST',
    path: '/rooms/{room}/messages',
    summary: 'Says something in a room, which is made if need be',
    fields: { room: ROOM, text: TEXT, as: AS },
    status: 201,
    answer: 'the message is in the log: `seq`, `id`, `at`',
    run: ({ server }, { room, text, as }) => server.publish(room, text, { as }),
  }),
  operation({
    id: 'direct',
    method: 'POST',
    path: '/users/{user}/messages',
    summary: 'Sends a direct message to a user',
    fields: { user: USER, text: TEXT, as: AS },
    status: 201,
    answer: 'the message is in the log: `seq`, `id`, `at`, and `delivery`: `waiting` for a user who is away',
    run: ({ server }, { user, text, as }) => server.direct(user, text, { as }),
  }),
  operation({
    id: 'history',
    method: 'GET',
    path: '/rooms/{room}/messages',
    summary: 'Reads what was said in a room: the newest, those before a position, or those after one',
    fields: {
      room: ROOM,
      before: queryCount('position before which to read', 0),
      after: queryCount('position after which to read', 0),
      limit: LIMIT,
    },
    status: 200,
    answer: '`entries`, oldest first, and `end`: whether nothing lies beyond',
    run: async ({ server }, { room, ...options }) => {
      const { entries, end } = await server.history(room, definedOf(options));
      return { entries: entries.map(entryBody), end };
    },
  }),
  operation({
    id: 'rooms',
    method: 'GET',
    path: '/rooms',
    summary: 'Lists rooms by name',
    fields: { prefix: queryText('rooms whose names begin like this'), limit: LIMIT, cursor: CURSOR },
    status: 200,
    answer: '`rooms` with `room` and `memberCount`; `cursor` where there may be more',
    run: ({ server }, query) => server.rooms(definedOf(query)),
  }),
  operation({
    id: 'members',
    method: 'GET',
    path: '/rooms/{room}/members',
    summary: 'Lists the members of a room by name',
    fields: { room: ROOM, limit: LIMIT, cursor: CURSOR },
    status: 200,
    answer: '`members` with `name`, `id` and `isConnected`; `memberCount`; `cursor` where there are more',
    run: async ({ server }, { room, limit, cursor }) => {
      const { memberCount, isIn } = await findRoom(server, room);
      const byId = new Map<number, { id: number; name: string; isConnected: boolean }>();
      for (const { memberId: id, name, isConnected, rooms } of server.sessions()) {
        // One member, over however many sessions.
        if (rooms.some(isIn))
          byId.set(id, { id, name, isConnected: isConnected || byId.get(id)?.isConnected === true });
      }
      const { items: members, ...page } = pageOf([...byId.values()], limit, cursor);
      return { members, memberCount, ...page };
    },
  }),
  operation({
    id: 'evict',
    method: 'DELETE',
    path: '/rooms/{room}/members/{user}',
    summary: 'Shows a member out of a room',
    fields: { room: ROOM, user: USER },
    status: 204,
    answer: 'it has left',
    run: ({ server }, { room, user }) => {
      if (!server.removeFromRoom(user, room)) throw noSuchUser(user);
      return undefined;
    },
  }),
  operation({
    id: 'users',
    method: 'GET',
    path: '/users',
    summary: 'Lists everybody who is here by name',
    fields: { limit: LIMIT, cursor: CURSOR },
    status: 200,
    answer: '`users` with `name`, `sessions`, `isConnected` and `rooms`; `cursor` where there are more',
    run: ({ server }, { limit, cursor }) => {
      const { items, ...page } = pageOf(server.users(), limit, cursor);
      return { users: items, ...page };
    },
  }),
  operation({
    id: 'kick',
    method: 'POST',
    path: '/users/{user}/kick',
    summary: 'Shows a user out; it may come back when its user wants to',
    fields: { user: USER, reason: REASON },
    status: 204,
    answer: 'it is gone',
    run: ({ server }, { user, reason }) => {
      if (!server.kick(user, reason)) throw noSuchUser(user);
      return undefined;
    },
  }),
  operation({
    id: 'ban',
    method: 'POST',
    path: '/bans',
    summary: 'Shows out and refuses a user, by name and address, or an address alone',
    fields: {
      user: optional(bodyText('name of the user, who need not be here')),
      address: optional(bodyText('IPv4 address, or an IPv6 address for its /64')),
      durationMs: DURATION,
      reason: REASON,
    },
    status: 201,
    answer: '`wasHere`: whether somebody was shown out by name',
    run: ({ server }, { user, address, durationMs = Number.POSITIVE_INFINITY, reason }) => {
      if ((user === undefined) === (address === undefined)) {
        throw new ApiError('ERR_API_BAD_REQUEST', 'either user or address must be given');
      }
      if (user !== undefined) return { wasHere: server.ban(nameOf(user), durationMs, reason) };
      if (server.banAddress(address!, durationMs, reason)) return { wasHere: false };
      throw new ApiError('ERR_API_BAD_REQUEST', 'address must be an address, and not an exempt one');
    },
  }),
  operation({
    id: 'unban',
    method: 'DELETE',
    path: '/bans/{banned}',
    summary: 'Ends the ban of a name or of an address',
    fields: { banned: pathText('the name or address that is banned') },
    status: 204,
    answer: 'it is not banned any more',
    run: ({ server }, { banned }) => {
      if (!server.unban(nameOf(banned))) throw new ApiError('ERR_API_NOT_FOUND', 'there is no such ban');
      return undefined;
    },
  }),
  operation({
    id: 'limits',
    method: 'GET',
    path: '/limits',
    summary: 'Reads all limits',
    fields: {},
    status: 200,
    answer: 'the limits by name; `"Infinity"` where there is none',
    run: ({ server }) => limitsBody(server),
  }),
  operation({
    id: 'adjust',
    method: 'PATCH',
    path: '/limits',
    summary: 'Changes limits; they hold for what comes next',
    fields: LIMIT_FIELDS,
    status: 200,
    answer: 'all limits, as they are now',
    run: async ({ server, machine }, limits) => {
      await (machine ?? server).adjust(limits as AdjustableLimits);
      return limitsBody(machine ?? server);
    },
  }),
  operation({
    id: 'stats',
    method: 'GET',
    path: '/stats',
    summary: 'Reads totals and gauges',
    fields: {},
    status: 200,
    answer: 'the figures by name; `closes` by close code; `workers` with those of each, where there are any',
    run: async ({ server, machine }) => {
      if (!machine) return statsBody(server.stats());
      const all = await machine.stats();
      const workers = all.map(({ worker, stats }) => ({ worker, ...statsBody(stats) }));
      return { ...statsBody(sumOfStats(all.map(({ stats }) => stats))), workers };
    },
  }),
  operation({
    id: 'reload',
    method: 'POST',
    path: '/reload',
    summary: 'Restarts workers one after the other, or reads the certificate again where there are none',
    fields: {},
    status: 202,
    answer: 'it has begun',
    run: ({ reload }) => {
      reload();
      return {};
    },
  }),
  operation({
    id: 'drain',
    method: 'POST',
    path: '/drain',
    summary: 'Goes away without losing anything, as at SIGTERM',
    fields: {
      deadlineMs: bodyNumber('connections that are open after this time are cut', 0),
      spreadMs: bodyNumber('clients are told to come back at a random time within this', 0),
    },
    status: 202,
    answer: 'it has begun',
    run: ({ drain }, options) => {
      drain(definedOf(options));
      return {};
    },
  }),
];

/** What goes out for the answer of an operation. */
export async function runOperation(
  operation: Operation,
  context: ApiContext,
  input: object,
): Promise<ApiAnswer> {
  const body = await operation.run(context, input);
  return body === undefined ? { status: operation.status } : { status: operation.status, body };
}

function statsBody(stats: ServerStats): object {
  return { ...stats, closes: Object.fromEntries(stats.closes) };
}

function limitsBody(server: Pick<ChatServer, 'limits'>): Readonly<Record<string, number | 'Infinity'>> {
  const limits: Record<string, number | 'Infinity'> = {};
  for (const [name, value] of Object.entries(server.limits()) as [LimitName, number][]) {
    limits[name] = value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
  }
  return limits;
}

/** Names of no use to anybody would only make the bans longer. */
function nameOf(name: string): string {
  if (name !== '' && name.length <= 64 && !UNSEEN.test(name)) return name;
  throw new ApiError('ERR_API_BAD_REQUEST', 'a name or an address has 1 to 64 visible characters');
}

function noSuchUser(user: string): ServerError {
  return new ServerError(ServerErrorCode.NoSuchUser, `nobody of that name is here: ${user.slice(0, 64)}`);
}

/** Options that were not given are left out. */
function definedOf<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
