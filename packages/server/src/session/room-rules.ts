/**
 * What the rules of the server and of a room say to somebody who wants to come in or to say something. The `authorize`
 * hook is asked elsewhere; where it says `allow`, only a ban and a mute still hold.
 */
import { type Failure, FailureCode, roomKey } from '@chat/protocol';
import type { Role, RoomSettings } from '@chat/protocol/frames';
import { mayDo, rankOf } from '../log/state/permissions.js';
import { type KeyedSanction, type Person, personOf, type Rules } from '../log/state/rules.js';
import type { SteadyClock } from '../time/clock.js';

/** The room in which the server writes down what moderators do. None but moderators of the server read it. */
export const AUDIT_ROOM = 'moderation-log';
export const AUDIT_KEY: string = roomKey(AUDIT_ROOM);

/** What it needs of the server. */
export interface RulesContext {
  readonly rules: Rules;
  readonly options: { readonly clock: SteadyClock };
}

/** Why somebody may not come into a room. */
export function joinRefusal(
  { rules, options }: RulesContext,
  person: Person,
  room: string,
  isAllowed: boolean,
): Failure | undefined {
  const key = roomKey(room);
  if (rules.isEmpty && key !== AUDIT_KEY) return undefined;
  const now = options.clock.now();
  const ban = rules.sanctionOf(key, 'ban', person, now);
  if (ban) return sanctioned(FailureCode.Forbidden, `banned from ${room}`, ban, now);
  if (isAllowed) return undefined;
  const me = personOf(person);
  const role = rules.roleOf('', me);
  if (key === AUDIT_KEY && !mayDo(role, 'audit'))
    return forbidden(`only moderators of the server read ${room}`);
  const isInvited = rules.given(key, me) !== undefined || mayDo(role, 'invite');
  if (rules.settings(key).byInvitation && !isInvited) return forbidden(`${room} is by invitation`);
  return undefined;
}

/** Whether a list of rooms leaves a room out for somebody. */
export function isHidden(
  { rules }: RulesContext,
  person: Person & { readonly rooms: ReadonlyMap<number, { readonly room: { readonly key: string } }> },
  room: string,
): boolean {
  const key = roomKey(room);
  if (key !== AUDIT_KEY && !rules.settings(key).hidden) return false;
  const me = personOf(person);
  if (mayDo(rules.roleOf('', me), 'audit')) return false;
  const isIn = [...person.rooms.values()].some((membership) => membership.room.key === key);
  return !isIn && (key === AUDIT_KEY || rules.given(key, me) === undefined);
}

/** Why somebody may not say something now: in a room, or, where there is none, to another member. */
export function writeRefusal(
  { rules, options }: RulesContext,
  person: Person,
  room: { readonly key: string; readonly name: string } | undefined,
  isAllowed: boolean,
): Failure | undefined {
  if (room?.key === AUDIT_KEY) return forbidden(`nobody writes to ${room.name} but the server`);
  if (rules.isEmpty) return undefined;
  const now = options.clock.now();
  const mute = rules.muteOf(person, room?.key, now);
  if (mute) return sanctioned(FailureCode.Muted, 'muted', mute, now);
  if (!room || isAllowed || !rules.settings(room.key).readOnly) return undefined;
  const me = personOf(person);
  const given = rules.given(room.key, me);
  const isWriter = given !== undefined && rankOf(given) >= rankOf('member');
  return isWriter || mayDo(rules.roleOf('', me), 'topic')
    ? undefined
    : forbidden(`${room.name} is read-only`);
}

/** How a room is, and the role of somebody there: for the answer to a join. */
export function describeRules(
  rules: Rules,
  person: Person,
  key: string,
): { readonly settings?: RoomSettings; readonly role: Role } {
  const settings = settingsOf(rules, key);
  return {
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    role: rules.roleOf(key, personOf(person)),
  };
}

/** The settings of a room, as everybody may see them. */
export function settingsOf(rules: Rules, key: string): RoomSettings {
  const { kept: _kept, ...settings } = rules.settings(key);
  return settings;
}

/** For how long somebody has to wait in a room with a slow mode; 0 for moderators, and where there is none. */
export function slowMs({ rules }: RulesContext, person: Person, key: string): number {
  const { slowMs: wait = 0 } = rules.settings(key);
  return wait > 0 && !mayDo(rules.roleOf(key, personOf(person)), 'topic') ? wait : 0;
}

/** A refusal for a mute or a ban, with what is left of it. */
function sanctioned(code: FailureCode, what: string, { until, reason }: KeyedSanction, now: number): Failure {
  const retryAfterMs = until === undefined ? undefined : Math.max(1, until - now);
  const end = retryAfterMs === undefined ? '' : ` for ${durationText(retryAfterMs)}`;
  const message = `${what}${end}${reason === undefined ? '' : `: ${reason}`}`;
  return retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs };
}

function forbidden(message: string): Failure {
  return { code: FailureCode.Forbidden, message };
}

/** A duration for people, in the largest unit that does not say less than it is. */
export function durationText(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [unit, unitMs] = units.find(([, size]) => ms >= 2 * size) ?? ['second', 1000];
  const count = Math.ceil(ms / unitMs);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
