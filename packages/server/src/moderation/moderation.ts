/**
 * What moderators do, whoever asks: a member over the wire, the program around the server, an operator.
 *
 * A request is planned, asked about (the table of roles, then the `authorize` hook), and appended to the log as a claim.
 * Where that comes back, and its sender still may, it counts: what is to be carried out is carried out, the room is told,
 * and it is written down in the log of the program and in the room `moderation-log`.
 */

import { type Failure, FailureCode, roomKey, roomNameProblem } from '@chat/protocol';
import {
  FrameType,
  type ModerationBody,
  NoticeKind,
  type ResponseBodies,
  type RoomChanged,
} from '@chat/protocol/frames';
import { claim } from '../log/claims.js';
import { ClaimKind, type Draft, type Origin } from '../log/entry.js';
import { mayDecide } from '../log/state/apply-decision.js';
import type { ChatState, SessionState } from '../log/state/chat-state.js';
import type { Outcome } from '../log/state/outcome.js';
import { personOf } from '../log/state/rules.js';
import type { SessionContext } from '../session/context.js';
import { joinRefusal, settingsOf } from '../session/room-rules.js';
import type { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';
import type { Actor } from './actor.js';
import { type CorrectionRequest, findCorrection } from './corrections.js';
import type { Operator } from './operator.js';
import { type Plan, planOf, type RuleRequest } from './plan.js';
import { planReaction, type ReactionRequest } from './reactions.js';

/** What moderation needs of the server. */
export interface ModerationContext extends SessionContext {
  readonly state: ChatState;
  readonly sessions: Sessions;
}

/** What was done, for those who keep the record. */
export interface Deed {
  readonly by: string;
  readonly action: string;
  /** Empty for the whole server. */
  readonly room: string;
  readonly user?: string;
  /** The whole of it as a sentence. */
  readonly text: string;
}

/** What the rest of the server does for moderators. Neither may throw. */
export interface ModerationWays {
  /** Keeps the record. */
  record(deed: Deed): void;
  /** Tells somebody something, if it is here. */
  tell(user: string, text: string, as: string): void;
}

/** An answer, or why there is none. */
export type ModerationAnswer =
  | { readonly response: ResponseBodies[ModerationBody['op']] }
  | { readonly failure: Failure };

const DONE = { response: {} };
const MAX_PAGE = 200;

export class Moderation {
  readonly #context: ModerationContext;
  readonly #operator: Operator;
  readonly #ways: ModerationWays;

  constructor(context: ModerationContext, operator: Operator, ways: ModerationWays) {
    this.#context = context;
    this.#operator = operator;
    this.#ways = ways;
  }

  /** Does what is asked for, if whoever asks may. */
  async act(actor: Actor, request: ModerationBody): Promise<ModerationAnswer> {
    if (request.op === 'edit' || request.op === 'take-back') return this.#correct(actor, request);
    if (request.op === 'react') return this.#react(actor, request);
    if (request.op === 'bans') return this.#list(actor, request);
    if (request.op === 'role' && request.role === undefined) return this.#tellRole(request);
    const plan = planOf(this.#context, request);
    if ('failure' in plan) return plan;
    const missing = this.#missing(actor, plan, request);
    if (missing) return { failure: missing };
    const allowed = await this.#ask(actor, plan);
    if ('code' in allowed) return { failure: allowed };
    const outcome = await this.#decide(actor, plan, allowed.isAllowed);
    if ('code' in outcome) return { failure: outcome };
    const undone = this.#carryOut(actor, request);
    if (undone) return { failure: undone };
    this.#tellRoom(actor, plan);
    const { action, room, user, text, reason } = plan;
    const sentence = `${actor.name} ${text}${reason === undefined ? '' : `: ${reason}`}`;
    this.#ways.record({
      by: actor.name,
      action,
      room,
      ...(user === undefined ? {} : { user }),
      text: sentence,
    });
    if (request.op === 'invite')
      this.#ways.tell(request.user, `you are invited to ${request.room}: /join ${request.room}`, actor.name);
    return this.#answer(request, plan);
  }

  /** Keeps the record of what was done in another way. */
  record(deed: Deed): void {
    this.#ways.record(deed);
  }

  /** Edits a message, or takes one back: an own one, or, for those who may, that of somebody else. */
  async #correct(actor: Actor, request: CorrectionRequest): Promise<ModerationAnswer> {
    const correction = await findCorrection(this.#context, actor, request);
    if ('failure' in correction) return correction;
    const { room, isOwn, of, draft } = correction;
    const target = { action: 'take-back', room: room.name, scope: room.key, user: of.name } as const;
    if (!isOwn) {
      const allowed = await this.#ask(actor, target);
      if ('code' in allowed) return { failure: allowed };
      const text = `has taken back a message of ${of.name} in ${room.name}`;
      const outcome = await this.#decide(actor, { ...target, text }, allowed.isAllowed);
      if ('code' in outcome) return { failure: outcome };
    }
    const failure = await this.#append(draft);
    if (failure) return { failure };
    if (!isOwn) {
      const text = `${actor.name} has taken back a message of ${of.name} in ${room.name}`;
      this.#ways.record({ by: actor.name, action: 'take-back', room: room.name, user: of.name, text });
    }
    return DONE;
  }

  /** Puts an emoji below a message, or takes it away. */
  async #react(actor: Actor, request: ReactionRequest): Promise<ModerationAnswer> {
    const planned = await planReaction(this.#context, actor, request);
    if ('failure' in planned) return planned;
    const failure = planned.draft && (await this.#append(planned.draft));
    return failure ? { failure } : DONE;
  }

  /** Appends the notice of what becomes of a message. */
  #append(draft: Omit<Draft, 'origin'>): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      const origin: Origin = {
        appended: (_entry, outcome) => resolve(notTaken(outcome)),
        refused: resolve,
      };
      this.#context.log.append({ ...draft, origin });
    });
  }

  /** Something was decided, here or at another process: those leave a room who may not be there any more. */
  decided({ scope, decision: { change } }: Extract<Outcome, { kind: 'moderated' }>): void {
    if (change?.what !== 'role' && change?.what !== 'impose') return;
    const isMeant = (session: Session): boolean =>
      change.what === 'role'
        ? personOf(session) === change.person
        : this.#context.rules.sanctionOf(scope, 'ban', session, this.#context.options.clock.now()) !==
          undefined;
    if (change.what === 'impose' && (change.sanction.kind !== 'ban' || scope === '')) return;
    for (const session of [...this.#context.sessions]) {
      if (!isMeant(session)) continue;
      for (const { room } of [...session.rooms.values()]) {
        const isAsked = scope === '' || scope === room.key;
        if (isAsked && joinRefusal(this.#context, session, room.name, false)) session.evict(room.name);
      }
    }
  }

  /** What is wrong with a request before anybody is asked. */
  #missing({ session }: Actor, { room, scope }: Plan, request: RuleRequest): Failure | undefined {
    const { rooms, rules, sessions } = this.#context;
    if (scope !== '' && session && !rooms.find(room) && !rules.hasRoles(scope))
      return { code: FailureCode.NoSuchRoom, message: `there is no room ${room}` };
    if (request.op === 'kick') {
      const targets = sessions.allOf(request.user);
      if (targets.length === 0) return noSuchUser(request.user);
      const isThere = ({ memberId }: SessionState): boolean =>
        rooms.find(room)?.everybody.has(memberId) === true;
      if (scope !== '' && !targets.some(isThere))
        return { code: FailureCode.NotMember, message: `${request.user} is not in ${room}` };
    }
    return undefined;
  }

  /** Whether somebody may do it: the hook, then the table of roles. */
  async #ask(
    { session }: Actor,
    { action, room, scope, user, against, change }: Omit<Plan, 'text'>,
  ): Promise<{ readonly isAllowed: boolean } | Failure> {
    if (!session) return { isAllowed: false };
    const { authorize } = this.#context.options.hooks;
    const role = this.#context.rules.roleOf(scope, personOf(session));
    const question = { role, ...(user === undefined ? {} : { user }) };
    const answer = authorize ? await authorize(session.info, action, room, question) : undefined;
    if (answer === 'allow') return { isAllowed: true };
    const isMine = mayDecide(this.#context.state, session, scope, {
      action,
      ...(against === undefined ? {} : { against }),
      ...(change === undefined ? {} : { change }),
    });
    return answer === false || !isMine ? notAllowed(action, room) : { isAllowed: false };
  }

  #decide({ session, name }: Actor, plan: Plan, isAllowed: boolean): Promise<Outcome | Failure> {
    const { action, scope, room, against } = plan;
    const { log, options } = this.#context;
    const change = plan.change && signed(plan.change, name, session === undefined);
    return new Promise((resolve) => {
      const origin: Origin = {
        appended: (_entry, outcome) => {
          if (outcome.kind !== 'void') resolve(outcome);
          else if (outcome.reason === 'no-such-session') resolve(noSuchUser(plan.user ?? name));
          else resolve(notAllowed(action, room));
        },
        refused: resolve,
      };
      const subject = { sender: session?.memberId ?? 0, room: scope, at: options.clock.now(), origin };
      const decision = {
        action,
        by: name,
        ...(against === undefined ? {} : { against }),
        ...(isAllowed ? { isAllowed: true as const } : {}),
        ...(change ? { change } : {}),
      };
      log.append(claim(ClaimKind.Moderated, subject, decision));
    });
  }

  /** What is done by more than the decision. */
  #carryOut({ name: by }: Actor, request: RuleRequest): Failure | undefined {
    const operator = this.#operator;
    switch (request.op) {
      case 'kick': {
        const { user, room, reason = 'kicked' } = request;
        const isDone = room === undefined ? operator.kick(user, reason) : operator.evict(user, room);
        return isDone ? undefined : noSuchUser(user);
      }
      case 'ban': {
        const { user, address, room, durationMs = Number.POSITIVE_INFINITY, reason = 'banned' } = request;
        if (room !== undefined) return undefined;
        if (user !== undefined) operator.ban(user, durationMs, reason, by);
        else if (!operator.banAddress(address!, durationMs, reason, by))
          return {
            code: FailureCode.BadRequest,
            message: `${address!.slice(0, 64)} is no address or range, or an exempt one`,
          };
        return undefined;
      }
      case 'unban':
        if (request.room === undefined && !operator.unban(request.banned))
          return { code: FailureCode.NoSuchUser, message: `${request.banned.slice(0, 64)} is not banned` };
        return undefined;
      default:
        return undefined;
    }
  }

  /** Tells those in a room how it is now, or who has which role there. */
  #tellRoom({ session, name }: Actor, { scope, change }: Plan): void {
    const { rules, rooms, steady, options } = this.#context;
    if (scope === '' || !rooms.byKey(scope)) return;
    let told: RoomChanged;
    if (change?.what === 'settings') told = { settings: settingsOf(rules, scope) };
    else if (change?.what === 'role' && change.person)
      told = {
        role: {
          name: change.role?.name ?? nameOf(change.person, this.#context),
          role: rules.roleOf(scope, change.person),
        },
      };
    else return;
    steady.append({
      room: scope,
      type: FrameType.Notice,
      codec: 0,
      kind: NoticeKind.Changed,
      sender: session?.memberId ?? 0,
      name: Buffer.from(name),
      body: Buffer.from(JSON.stringify(told)),
      at: options.clock.now(),
      publishId: 0,
      origin: undefined,
    });
  }

  #answer(request: RuleRequest, { scope, change }: Plan): ModerationAnswer {
    const { rules } = this.#context;
    if (request.op === 'mode') return { response: { settings: settingsOf(rules, scope) } };
    if (change?.what === 'role' && request.op === 'role')
      return { response: { role: rules.roleOf(scope, change.person) } };
    return DONE;
  }

  /** Which role somebody has; anybody may ask. */
  #tellRole(request: Extract<RuleRequest, { readonly op: 'role' }>): ModerationAnswer {
    const plan = planOf(this.#context, { ...request, role: 'none' });
    if ('failure' in plan) return plan;
    const person = plan.change?.what === 'role' ? plan.change.person : '';
    return { response: { role: this.#context.rules.roleOf(plan.scope, person) } };
  }

  async #list(
    actor: Actor,
    request: Extract<RuleRequest, { readonly op: 'bans' }>,
  ): Promise<ModerationAnswer> {
    const { room = '', limit = MAX_PAGE, cursor = 0 } = request;
    const problem = room === '' ? undefined : roomNameProblem(room);
    if (problem) return { failure: { code: FailureCode.RoomInvalid, message: problem } };
    const scope = room === '' ? '' : roomKey(room);
    const allowed = await this.#ask(actor, { action: 'ban', room, scope });
    if ('code' in allowed) return { failure: allowed };
    const all = [...this.#context.rules.sanctions(scope, this.#context.options.clock.now())];
    const rest = all.filter(([position]) => position > cursor);
    const page = rest.slice(0, Math.min(limit, MAX_PAGE));
    const last = page.at(-1)?.[0];
    const more = last !== undefined && page.length < rest.length ? { cursor: last } : {};
    return { response: { bans: page.map(([, sanction]) => sanction), ...more } };
  }
}

/** A change with the name of the one who decides it. What an operator decides about a room outlives its members. */
function signed(
  change: NonNullable<Plan['change']>,
  by: string,
  isOperator: boolean,
): NonNullable<Plan['change']> {
  if (change.what === 'impose') return { ...change, sanction: { ...change.sanction, by } };
  if (change.what === 'settings' && isOperator)
    return { ...change, settings: { ...change.settings, kept: true } };
  return change;
}

function nameOf(person: string, { sessions }: ModerationContext): string {
  const [kind, id = ''] = [person.slice(0, person.indexOf(':')), person.slice(person.indexOf(':') + 1)];
  return kind === 'member' ? (sessions.stateOf(Number(id))?.name ?? '') : id;
}

function noSuchUser(user: string): Failure {
  return { code: FailureCode.NoSuchUser, message: `nobody here is called ${user.slice(0, 64)}` };
}

/** Why a notice about a message has changed nothing: at its place its sender might not do it any more. */
function notTaken(outcome: Outcome): Failure | undefined {
  if (outcome.kind === 'corrected') return undefined;
  if (outcome.kind === 'void' && outcome.reason === 'muted')
    return { code: FailureCode.Muted, message: 'muted' };
  if (outcome.kind === 'void' && outcome.reason === 'no-such-session')
    return { code: FailureCode.NotMember, message: 'not a member any more' };
  return { code: FailureCode.Internal, message: 'not taken' };
}

function notAllowed(action: string, room: string): Failure {
  const where = room === '' ? 'the server' : room;
  return { code: FailureCode.Forbidden, message: `your role in ${where} does not allow ${action}` };
}
