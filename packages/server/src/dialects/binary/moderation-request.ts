/** Requests of moderators, and of members about their own messages: the checks of their fields. */
import { CodecTag, ProtocolError } from '@chat/protocol';
import {
  asBoolean,
  asCount,
  asObject,
  asOptional,
  asPosition,
  asString,
  type Check,
} from '@chat/protocol/check';
import type { ModerationBody, RequestBody, Role } from '@chat/protocol/frames';
import { ROLES } from '../../log/state/permissions.js';

/** What a request says besides its `op`. */
type Fields<Op extends ModerationBody['op']> = Omit<Extract<ModerationBody, { readonly op: Op }>, 'op'>;

const asRole: Check<Role | 'none'> = (value, path) => oneOf<Role | 'none'>([...ROLES, 'none'], value, path);
const asTextCodec: Check<number> = (value, path) => oneOf([CodecTag.Text, CodecTag.Json], value, path);

export const MODERATION_CHECKS: { readonly [Op in ModerationBody['op']]: Check<Fields<Op>> } = {
  kick: asObject<Fields<'kick'>>({
    user: asString,
    room: asOptional(asString),
    reason: asOptional(asString),
  }),
  ban: asObject<Fields<'ban'>>({
    user: asOptional(asString),
    address: asOptional(asString),
    room: asOptional(asString),
    durationMs: asOptional(asCount),
    reason: asOptional(asString),
  }),
  unban: asObject<Fields<'unban'>>({ banned: asString, room: asOptional(asString) }),
  bans: asObject<Fields<'bans'>>({
    room: asOptional(asString),
    limit: asOptional(asCount),
    cursor: asOptional(asPosition),
  }),
  mute: asObject<Fields<'mute'>>({
    user: asString,
    room: asOptional(asString),
    durationMs: asOptional(asCount),
    reason: asOptional(asString),
  }),
  unmute: asObject<Fields<'unmute'>>({ user: asString, room: asOptional(asString) }),
  role: asObject<Fields<'role'>>({ user: asString, room: asOptional(asString), role: asOptional(asRole) }),
  topic: asObject<Fields<'topic'>>({ room: asString, topic: asString }),
  invite: asObject<Fields<'invite'>>({ room: asString, user: asString }),
  mode: asObject<Fields<'mode'>>({
    room: asString,
    byInvitation: asOptional(asBoolean),
    readOnly: asOptional(asBoolean),
    hidden: asOptional(asBoolean),
    slowMs: asOptional(asPosition),
  }),
  edit: asObject<Fields<'edit'>>({
    room: asString,
    seq: asCount,
    text: asString,
    codec: asOptional(asTextCodec),
  }),
  'take-back': asObject<Fields<'take-back'>>({ room: asString, seq: asCount }),
  react: asObject<Fields<'react'>>({
    room: asString,
    seq: asCount,
    reaction: asString,
    remove: asOptional(asBoolean),
  }),
};

/** Whether a request is one of these. */
export function isModeration(request: RequestBody): request is ModerationBody {
  return Object.hasOwn(MODERATION_CHECKS, request.op);
}

function oneOf<T>(allowed: readonly T[], value: unknown, path: string): T {
  if (allowed.includes(value as T)) return value as T;
  const names = allowed.join(', ');
  throw new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', `${path} must be one of ${names}`);
}
