/**
 * What the server does when its log cannot be used, and when it can again.
 *
 * A log that is stalled is cut off from the other servers: what is said waits. Members are told, as far as their dialect
 * has words for it. Once it has lasted, clients are sent to the others, each at a moment of its own, and nobody is let
 * in. Their sessions stay: they go on wherever their clients come, here as well.
 */
import { CloseCode } from '@chat/protocol';
import type { Admission } from '../admission/admission.js';
import type { LogCondition } from '../log/event-log.js';
import type { SteadyAppender } from '../log/steady-appender.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Sessions } from '../session/sessions.js';
import type { TimerEntry, TimerWheel } from '../time/timer-wheel.js';

/** Clients that are sent away come back at a random time within this. */
const SPREAD_MS = 2000;

/** What it needs of the server. */
export interface LogConditionsContext {
  readonly options: ResolvedOptions;
  readonly sessions: Sessions;
  readonly steady: SteadyAppender;
  readonly wheel: TimerWheel;
}

export class LogConditions {
  readonly #context: LogConditionsContext;
  readonly #admission: Pick<Admission, 'suspend' | 'resume'>;
  #state: LogCondition['state'] = 'open';
  #stall: TimerEntry | undefined;

  constructor(context: LogConditionsContext, admission: Pick<Admission, 'suspend' | 'resume'>) {
    this.#context = context;
    this.#admission = admission;
  }

  obey(condition: LogCondition): void {
    const { steady, options } = this.#context;
    const former = this.#state;
    this.#state = condition.state;
    if (condition.state !== 'stalled') this.#endStall(former === 'stalled' && condition.state !== 'failed');
    if (condition.state === 'open') {
      options.logger.info({}, 'the log takes entries again');
      steady.retry();
      return;
    }
    options.logger.error({ reason: condition.reason }, `the log is ${condition.state}`);
    if (condition.state === 'stalled' && former !== 'stalled') this.#beginStall();
    // Publishes that nobody can answer any more: their clients learn what became of them when they come back.
    if (condition.state === 'failed') this.#sendAway(CloseCode.Internal, 'the log of the server has failed');
  }

  #beginStall(): void {
    const { wheel, options } = this.#context;
    this.#tell('the server is cut off from the others: what you say waits');
    if (!Number.isFinite(options.maxStallMs)) return;
    this.#stall = wheel.schedule(options.maxStallMs, () => {
      const reason = 'the server is cut off from the others';
      options.logger.warn({ option: 'maxStallMs' }, `${reason}: its clients are sent to them`);
      this.#admission.suspend(reason);
      this.#sendAway(CloseCode.GoingAway, reason, SPREAD_MS);
    });
  }

  #endStall(isOver: boolean): void {
    if (this.#stall) this.#context.wheel.cancel(this.#stall);
    this.#stall = undefined;
    this.#admission.resume();
    if (isOver) this.#tell('the server is in touch with the others again');
  }

  #tell(notice: string): void {
    for (const { peer } of this.#context.sessions) peer?.tell(notice);
  }

  #sendAway(code: CloseCode, reason: string, spreadMs = 0): void {
    const { sessions, options } = this.#context;
    for (const { peer } of [...sessions]) peer?.close(code, reason, Math.floor(options.random() * spreadMs));
  }
}
