/** What moderators may do, as operations: for operators and other programs, whatever role it takes. */
import type { ModerationBody } from '@chat/protocol/frames';
import {
  bodyBoolean,
  bodyChoice,
  bodyNumber,
  bodyText,
  optional,
  pathCount,
  pathText,
  queryCount,
  queryText,
} from '../fields.js';
import { DURATION, LIMIT, type Operation, operation, REASON, ROOM, USER } from './operation.js';

const IN_ROOM = optional(bodyText('name of a room; without it, the whole server is meant'));
const ROLE = bodyChoice('the role; `none` takes it away', ['none', 'guest', 'member', 'moderator', 'owner']);

export const MODERATION: readonly Operation[] = [
  operation({
    id: 'role',
    method: 'POST',
    path: '/users/{user}/role',
    summary: 'Gives a user a role in the server or in a room',
    fields: { user: USER, role: ROLE, room: IN_ROOM },
    status: 200,
    answer: '`role`: the one that counts there now',
    run: ({ server }, { user, role, room }) =>
      server.moderate(wish({ op: 'role', user, role: role as 'none', room })),
  }),
  operation({
    id: 'mute',
    method: 'POST',
    path: '/users/{user}/mute',
    summary: 'Takes the word away from a user, in the server or in a room',
    fields: { user: USER, room: IN_ROOM, durationMs: DURATION, reason: REASON },
    status: 200,
    answer: 'it is muted',
    run: ({ server }, { user, room, durationMs, reason }) =>
      server.moderate(wish({ op: 'mute', user, room, durationMs: finite(durationMs), reason })),
  }),
  operation({
    id: 'unmute',
    method: 'POST',
    path: '/users/{user}/unmute',
    summary: 'Ends a mute',
    fields: { user: USER, room: IN_ROOM },
    status: 200,
    answer: 'it may speak',
    run: ({ server }, { user, room }) => server.moderate(wish({ op: 'unmute', user, room })),
  }),
  operation({
    id: 'bans',
    method: 'GET',
    path: '/bans',
    summary: 'Lists bans and mutes that are not over, of the server or of a room',
    fields: {
      room: queryText('name of a room; without it, the whole server is meant'),
      limit: LIMIT,
      cursor: queryCount('`cursor` of the page before', 0),
    },
    status: 200,
    answer: '`bans` with `kind`, `target`, `by`, `at`, `until` and `reason`; `cursor` where there are more',
    run: ({ server }, query) => server.moderate(wish({ op: 'bans', ...query })),
  }),
  operation({
    id: 'room-ban',
    method: 'POST',
    path: '/rooms/{room}/bans',
    summary: 'Shows a user out of a room and lets it not in again',
    fields: { room: ROOM, user: bodyText('name of the user'), durationMs: DURATION, reason: REASON },
    status: 200,
    answer: 'it is banned there',
    run: ({ server }, { room, user, durationMs, reason }) =>
      server.moderate(wish({ op: 'ban', user, room, durationMs: finite(durationMs), reason })),
  }),
  operation({
    id: 'room-unban',
    method: 'DELETE',
    path: '/rooms/{room}/bans/{banned}',
    summary: 'Ends the ban of a user from a room',
    fields: { room: ROOM, banned: pathText('name of the user') },
    status: 200,
    answer: 'it may come in',
    run: ({ server }, { room, banned }) => server.moderate({ op: 'unban', banned, room }),
  }),
  operation({
    id: 'topic',
    method: 'POST',
    path: '/rooms/{room}/topic',
    summary: 'Says what a room is about',
    fields: { room: ROOM, topic: bodyText('one line; empty for none') },
    status: 200,
    answer: 'the room has the topic, and keeps it while nobody is in it',
    run: ({ server }, { room, topic }) => server.moderate({ op: 'topic', room, topic }),
  }),
  operation({
    id: 'mode',
    method: 'PATCH',
    path: '/rooms/{room}',
    summary: 'Changes how a room is',
    fields: {
      room: ROOM,
      byInvitation: bodyBoolean('only those come in who have a role in it'),
      readOnly: bodyBoolean('only those write who are members of it by role, or more'),
      hidden: bodyBoolean('lists of rooms do not have it'),
      slowMs: bodyNumber('least time between two messages of one member, in milliseconds', 0),
    },
    status: 200,
    answer: '`settings` as they are now',
    run: ({ server }, settings) => server.moderate(wish({ op: 'mode', ...settings })),
  }),
  operation({
    id: 'invite',
    method: 'POST',
    path: '/rooms/{room}/invitations',
    summary: 'Invites a user to a room, who is told so',
    fields: { room: ROOM, user: bodyText('name of the user') },
    status: 200,
    answer: 'it may come in',
    run: ({ server }, { room, user }) => server.moderate({ op: 'invite', room, user }),
  }),
  operation({
    id: 'take-back',
    method: 'DELETE',
    path: '/rooms/{room}/messages/{seq}',
    summary: 'Takes a message back: its text is gone, and that it was there is shown',
    fields: { room: ROOM, seq: pathCount('position of the message') },
    status: 200,
    answer: 'it is taken back',
    run: ({ server }, { room, seq }) => server.moderate({ op: 'take-back', room, seq }),
  }),
  operation({
    id: 'react',
    method: 'POST',
    path: '/rooms/{room}/messages/{seq}/reactions',
    summary: 'Puts an emoji below a message of text, or takes it away again',
    fields: {
      room: ROOM,
      seq: pathCount('position of the message'),
      reaction: bodyText('one emoji'),
      as: optional(bodyText('the name to react under, each emoji once; without it `operator`')),
      remove: bodyBoolean('takes the emoji away'),
    },
    status: 200,
    answer: 'it is below the message, or is not any more',
    run: ({ server }, { room, seq, reaction, remove, as }) =>
      server.moderate(wish({ op: 'react', room, seq, reaction, remove }), as === undefined ? {} : { as }),
  }),
];

/** A request without the fields that were not given. */
function wish<Op extends ModerationBody['op']>(
  request: { readonly op: Op } & {
    readonly [Name in keyof Extract<ModerationBody, { readonly op: Op }>]:
      | Extract<ModerationBody, { readonly op: Op }>[Name]
      | undefined;
  },
): Extract<ModerationBody, { readonly op: Op }> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as never;
}

/** For ever is said by leaving the time out. */
function finite(durationMs: number | undefined): number | undefined {
  return durationMs === Number.POSITIVE_INFINITY ? undefined : durationMs;
}
