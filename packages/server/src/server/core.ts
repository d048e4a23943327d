/**
 * The parts of a server, put together: all of it but the sockets that listen. What each part needs stands in its
 * constructor; here it is seen who is given what.
 */
import { Admission } from '../admission/admission.js';
import type { AdmissionContext } from '../admission/context.js';
import type { ConnectionContext } from '../connection/context.js';
import { AddressLimits } from '../limits/address-limits.js';
import { Bans } from '../limits/bans.js';
import { InputAccounts } from '../limits/input-account.js';
import { MemoryGuard } from '../limits/memory-guard.js';
import { RefusalLog } from '../limits/refusal-log.js';
import { ChatState } from '../log/state/chat-state.js';
import { SteadyAppender } from '../log/steady-appender.js';
import { Moderation, type ModerationWays } from '../moderation/moderation.js';
import { Operator } from '../moderation/operator.js';
import type { Logger } from '../options/logger.js';
import type { ResolvedOptions } from '../options/options.js';
import { maxMessageBytes } from '../options/resolve-limits.js';
import { EntryApplier } from '../room/apply.js';
import { FanOut } from '../room/fan-out.js';
import { Rooms } from '../room/rooms.js';
import { giveUpHistory } from '../room/shed-history.js';
import { Counters } from '../session/counters.js';
import { Inboxes } from '../session/directs/inbox.js';
import { KickedSessions } from '../session/kicked-sessions.js';
import { AUDIT_ROOM } from '../session/room-rules.js';
import { type EmitSessionEvent, Sessions } from '../session/sessions.js';
import { SessionsElsewhere } from '../session/shared/elsewhere.js';
import { SessionMoves } from '../session/shared/moves.js';
import { takeSnapshot } from '../session/shared/snapshot.js';
import { TimerWheel } from '../time/timer-wheel.js';
import { LogConditions } from './log-conditions.js';
import { forgetHeld } from './program/forget.js';
import { Program } from './program/program.js';
import { recover } from './recovery.js';

/** Resolution of the timer wheel. */
const TICK_MS = 250;
/** How often old entries, bans and accounts are looked for. */
const EXPIRE_EVERY_MS = 10_000;
/** How often sessions are looked for whose process is gone, and whose clients have not come back. */
const LOOK_FOR_UNHELD_MS = 1000;

/** Everything that stands behind the listeners. */
export interface ServerCore extends AdmissionContext, Omit<ConnectionContext, 'sessions'> {
  readonly operator: Operator;
  /** What the program around the server says and reads. */
  readonly program: Program;
  /** Starts to take entries from the log. */
  open(): Promise<void>;
  /** Stops timers and the log. */
  close(): Promise<void>;
}

/** Builds the parts; they do nothing until they are opened. */
export function createCore(options: ResolvedOptions, emit: EmitSessionEvent): ServerCore {
  const { log, clock, logger } = options;
  const wheel = new TimerWheel(clock, TICK_MS);
  const counters = new Counters();
  const refusals = new RefusalLog(logger, wheel);
  const addresses = new AddressLimits(options, refusals);
  const bans = new Bans(addresses.connections, refusals);
  const kicked = new KickedSessions();
  const accounts = new InputAccounts(options, addresses.connections);
  const state = new ChatState();
  const sessions = new Sessions(state, addresses.sessions, counters, emit, log.process);
  const fanOut = new FanOut(clock, options.coalesceMs);
  const rooms = new Rooms(options, log, wheel, addresses.roomsMade, state.sessions);
  const memory = new MemoryGuard(
    () => options.maxMemoryBytes,
    wheel,
    (isShort, use) => tellOfMemory(options, isShort, use),
    undefined,
    (wantedBytes) => giveUpHistory({ rooms, fanOut, options }, wantedBytes),
  );
  const steady = new SteadyAppender(log, wheel);
  const elsewhere = new SessionsElsewhere({ options, wheel });
  const inboxes = new Inboxes({ options, log, rooms, fanOut, counters });
  const context: AdmissionContext = {
    state,
    elsewhere,
    accounts,
    options,
    log,
    steady,
    rooms,
    rules: state.rules,
    reads: state.reads,
    fanOut,
    sessions,
    inboxes,
    kicked,
    bans,
    addresses,
    wheel,
    counters,
    refusals,
    memory,
    maxMessageBytes: maxMessageBytes(options),
  };
  const admission = new Admission(context);
  const moves = new SessionMoves(context, state, () => {
    admission.close();
    log.givenUp?.();
  });
  const conditions = new LogConditions(context, admission);
  const program = new Program(context, () => state.position);
  const operator = new Operator(context);
  const moderation = new Moderation(context, operator, recordWays(program, logger));
  const applier = new EntryApplier(context, state, {
    inboxOf: (member) => moves.inboxOf(member),
    published: (entry) => moves.published(entry),
    happened(outcome, entry, from) {
      if (outcome.kind === 'moderated') moderation.decided(outcome);
      else moves.happened(outcome, entry, from);
    },
  });
  applier.onApplied = (entry, outcome) => program.feeds.applied(entry, outcome);
  wheel.repeat(EXPIRE_EVERY_MS, (now) => {
    for (const part of [rooms, bans, kicked, addresses, accounts, inboxes, elsewhere]) part.expire(now);
    return EXPIRE_EVERY_MS;
  });
  if (log.process !== undefined) {
    wheel.repeat(LOOK_FOR_UNHELD_MS, () => {
      moves.expire(clock.now());
      return LOOK_FOR_UNHELD_MS;
    });
  }
  return {
    ...context,
    admission,
    operator,
    moderation,
    program,
    async open() {
      const recovered = await log.open((entries, from = 0) => {
        for (const entry of entries) applier.apply(entry, from);
      });
      log.onCondition = (condition) => conditions.obey(condition);
      log.onSnapshot = () => takeSnapshot(context);
      log.onForget = (removal) => forgetHeld(context, removal);
      if (recovered) await recover(context, state, recovered);
      await log.start?.();
    },
    async close() {
      admission.close();
      fanOut.close();
      wheel.close();
      await log.close();
      program.close();
    },
  };
}

/** What moderators do is a line of the log of the program, and a message in a room of moderators. */
function recordWays(program: Program, logger: Logger): ModerationWays {
  const failed = (error: unknown): void =>
    logger.warn({ error }, 'what a moderator has done could not be told');
  return {
    record({ text, ...deed }) {
      logger.info({ moderation: deed }, text);
      program.publish(AUDIT_ROOM, text, { as: RECORDER }).catch(failed);
    },
    tell(user, text, as) {
      // One that is not here is told when it asks.
      program.direct(user, text, { as }).catch(() => {});
    },
  };
}

/** The name under which the server writes down what moderators do. */
const RECORDER = 'moderation';

function tellOfMemory({ logger }: ResolvedOptions, isShort: boolean, use: object): void {
  if (isShort) logger.warn({ option: 'maxMemoryBytes', ...use }, 'short of memory: newcomers are sent away');
  else logger.info(use, 'there is memory for newcomers again');
}
