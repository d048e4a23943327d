/**
 * What each request of a moderator comes to: what it takes, what becomes different, and what is written down of it. Nothing
 * is done here.
 */
import { type Failure, FailureCode, roomKey, roomNameProblem } from '@chat/protocol';
import type { ModerationBody, RoomSettings } from '@chat/protocol/frames';
import type { Change, Decision } from '../log/state/decision.js';
import type { ModerationAction } from '../log/state/permissions.js';
import { accountPerson, type KeptSettings, keysOf, personOf, type Rules } from '../log/state/rules.js';
import { userNameProblem } from '../names/names.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Rooms } from '../room/rooms.js';
import type { SessionDirectory } from '../session/context.js';
import { durationText } from '../session/room-rules.js';
import { isLine } from './is-line.js';

/** Requests that are decided by a role alone; the others are about one message: `corrections.ts`, `reactions.ts`. */
export type RuleRequest = Exclude<ModerationBody, { readonly op: 'edit' | 'take-back' | 'react' }>;

/** What planning needs of the server. */
export interface PlanContext {
  readonly options: Pick<ResolvedOptions, 'hooks' | 'maxTopicBytes' | 'clock'>;
  readonly rules: Rules;
  readonly rooms: Pick<Rooms, 'find'>;
  readonly sessions: Pick<SessionDirectory, 'holderOf'>;
}

/** A request that can be decided about. */
export interface Plan {
  readonly action: ModerationAction;
  /** Name of the room; empty for the whole server. */
  readonly room: string;
  /** Key of the room, or empty. */
  readonly scope: string;
  /** The one whom it is about, as it was named. */
  readonly user?: string;
  readonly against?: string;
  readonly change?: Decision['change'];
  /** What was done, as a part of a sentence: for the record. */
  readonly text: string;
  readonly reason?: string;
}

type Planned = Plan | { readonly failure: Failure };

const MAX_REASON = 100;
/** Roles that may be given in one room, or in the server. */
const MAX_ROLES = 10_000;

export function planOf(
  context: PlanContext,
  request: Exclude<RuleRequest, { readonly op: 'bans' }>,
): Planned {
  const { room = '' } = request;
  const problem = room === '' ? undefined : roomNameProblem(room);
  if (problem) return failed(FailureCode.RoomInvalid, problem);
  const scope = room === '' ? '' : roomKey(room);
  const place = room === '' ? '' : ` in ${room}`;
  const base = { room, scope };
  if ('reason' in request && request.reason !== undefined && !isReason(request.reason))
    return failed(FailureCode.BadRequest, `a reason is a line of at most ${MAX_REASON} characters`);
  switch (request.op) {
    case 'kick': {
      const target = targetOf(context, request.user);
      if ('failure' in target) return target;
      const text = `has kicked ${target.name}${room === '' ? '' : ` out of ${room}`}`;
      return { ...base, ...about(target), action: 'kick', text, ...reasonOf(request) };
    }
    case 'ban':
    case 'mute':
      return planSanction(context, request, { ...base, place });
    case 'unban':
    case 'unmute': {
      const name = request.op === 'unban' ? request.banned : request.user;
      const kind = request.op === 'unban' ? 'ban' : 'mute';
      const target = targetOf(context, name);
      const keys = 'failure' in target ? [] : target.keys;
      // A ban of the server is ended where it is known to whom else it was done.
      const change: Change | undefined =
        kind === 'ban' && scope === '' ? undefined : { what: 'pardon', kind, keys };
      const text = `has ended the ${kind} of ${name}${place}`;
      return { ...base, action: kind, user: name, text, ...(change ? { change } : {}) };
    }
    case 'role': {
      const target = targetOf(context, request.user);
      if ('failure' in target) return target;
      const { name, person } = target;
      if (person === undefined)
        return failed(
          FailureCode.NoSuchUser,
          `nobody here is called ${name}, and a role ends with a session`,
        );
      if (isFull(context.rules, scope, person)) return tooManyRoles();
      const role = request.role === undefined || request.role === 'none' ? undefined : request.role;
      const change: Change = { what: 'role', person, role: role && { name, role } };
      const text = role ? `has made ${name} ${role}${place}` : `has taken the role of ${name}${place}`;
      return { ...base, ...about(target), action: 'role', change, text };
    }
    case 'invite': {
      const target = targetOf(context, request.user);
      if ('failure' in target) return target;
      const { name, person } = target;
      if (person === undefined) return failed(FailureCode.NoSuchUser, `nobody here is called ${name}`);
      if (isFull(context.rules, scope, person)) return tooManyRoles();
      const role = context.rules.given(scope, person) ?? 'guest';
      const change: Change = { what: 'role', person, role: { name, role } };
      return { ...base, action: 'invite', user: name, change, text: `has invited ${name} to ${room}` };
    }
    case 'topic': {
      const { topic } = request;
      const { maxTopicBytes: max } = context.options;
      const actual = Buffer.byteLength(topic);
      if (actual > max) {
        const message = `a topic of ${actual} bytes exceeds ${max}`;
        return { failure: { code: FailureCode.TooLarge, message, max, actual } };
      }
      if (!isLine(topic)) return failed(FailureCode.BadRequest, 'a topic is one line of visible characters');
      const text =
        topic === '' ? `has removed the topic of ${room}` : `has changed the topic of ${room} to ${topic}`;
      return { ...base, action: 'topic', change: settingsChange({ topic }), text };
    }
    case 'mode': {
      const { byInvitation, readOnly, hidden, slowMs } = request;
      const wanted = { byInvitation, readOnly, hidden, slowMs };
      const settings = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
      if (Object.keys(settings).length === 0)
        return failed(FailureCode.BadRequest, 'mode needs byInvitation, readOnly, hidden or slowMs');
      const text = `has changed ${room}: ${modeText(settings)}`;
      return { ...base, action: 'mode', change: settingsChange(settings), text };
    }
  }
}

function planSanction(
  context: PlanContext,
  request: Extract<RuleRequest, { readonly op: 'ban' | 'mute' }>,
  { room, scope, place }: { readonly room: string; readonly scope: string; readonly place: string },
): Planned {
  const { op: kind, durationMs } = request;
  const address = request.op === 'ban' ? request.address : undefined;
  const end = durationMs === undefined ? '' : ` for ${durationText(durationMs)}`;
  const verb = kind === 'ban' ? 'banned' : 'muted';
  if (address !== undefined || request.user === undefined) {
    if (address === undefined || request.user !== undefined)
      return failed(FailureCode.BadRequest, 'either user or address must be given');
    if (scope !== '')
      return failed(FailureCode.BadRequest, 'an address is banned from the whole server only');
    return { room, scope, action: 'ban', text: `has ${verb} ${address}${end}`, ...reasonOf(request) };
  }
  const target = targetOf(context, request.user);
  if ('failure' in target) return target;
  const text = `has ${verb} ${target.name}${place}${end}`;
  const plan = { room, scope, ...about(target), action: kind, text, ...reasonOf(request) };
  if (kind === 'ban' && scope === '') return plan;
  const until = durationMs === undefined ? {} : { until: context.options.clock.now() + durationMs };
  const sanction = { kind, target: target.name, by: '', ...until, ...reasonOf(request) };
  return { ...plan, change: { what: 'impose', sanction, keys: target.keys } };
}

/** Somebody that a request names. */
interface Target {
  readonly name: string;
  /** Absent for one who is not here, where there are no accounts. */
  readonly person: string | undefined;
  readonly keys: readonly string[];
}

function targetOf({ sessions, options }: PlanContext, name: string): Target | { readonly failure: Failure } {
  const problem = userNameProblem(name);
  if (problem) return failed(FailureCode.NameInvalid, problem);
  const session = sessions.holderOf(name);
  if (session) {
    const person = personOf(session);
    // Under whatever name it is said: its session is meant as well.
    return {
      name: session.name,
      person,
      keys: [...keysOf(session.name, person), `member:${session.memberId}`],
    };
  }
  // One who is not here can have an account, where there are any.
  const person = options.hooks.authenticate ? accountPerson(name) : undefined;
  return { name, person, keys: keysOf(name, person) };
}

function about({ name, person }: Target): Pick<Plan, 'user' | 'against'> {
  return { user: name, ...(person === undefined ? {} : { against: person }) };
}

function reasonOf(request: { readonly reason?: string }): { readonly reason?: string } {
  return request.reason === undefined || request.reason === '' ? {} : { reason: request.reason };
}

function isReason(reason: string): boolean {
  return reason.length <= MAX_REASON && isLine(reason);
}

function settingsChange(settings: KeptSettings): Change {
  return { what: 'settings', settings };
}

/** Modes for people. */
function modeText({ byInvitation, readOnly, hidden, slowMs }: RoomSettings): string {
  const parts = [
    byInvitation === undefined ? [] : [byInvitation ? 'by invitation' : 'open'],
    readOnly === undefined ? [] : [readOnly ? 'read-only' : 'writable'],
    hidden === undefined ? [] : [hidden ? 'hidden' : 'listed'],
    slowMs === undefined ? [] : [slowMs > 0 ? `one message in ${durationText(slowMs)}` : 'no slow mode'],
  ];
  return parts.flat().join(', ');
}

function isFull(rules: Rules, scope: string, person: string): boolean {
  return rules.given(scope, person) === undefined && rules.roleCount(scope) >= MAX_ROLES;
}

function tooManyRoles(): { failure: Failure } {
  const message = `there are ${MAX_ROLES} roles already`;
  return { failure: { code: FailureCode.TooLarge, message, max: MAX_ROLES } };
}

function failed(code: FailureCode, message: string): { failure: Failure } {
  return { failure: { code, message } };
}
