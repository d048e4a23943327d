/**
 * One webhook: a cursor over everything that happens, which moves on when the receiver has taken a delivery. It holds one
 * delivery and nothing else, so a receiver that is slow or dead costs its position alone, and disturbs nobody. Order is
 * kept: the next delivery waits until this one is taken, or is given up and told as a gap.
 */
import type { FeedEntry, Logger } from '@chat/server';
import type { Cursor } from './cursors.js';
import { EventFilter, type WebhookEvent } from './events.js';
import { signedHeaders } from './signature.js';
import type { WebhookOptions } from './webhook-options.js';

/** What a webhook needs. */
export interface WebhookContext {
  readonly options: WebhookOptions;
  readonly logger: Logger;
  /** The key that signs, read each time: it may be exchanged. */
  readonly key: () => Buffer;
  readonly epoch: string;
  /** Told each time that the cursor has moved; resolved when that is kept. */
  readonly moved: (cursor: Cursor, isDelivered: boolean) => Promise<void>;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Resolved after that time, or when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly agent: string;
}

/** What a webhook has done. */
export interface WebhookStats {
  /** Events that were taken. */
  readonly delivered: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Events that were given up. */
  readonly givenUp: number;
  /** Position up to which everything is done. */
  readonly position: number;
}

/** Sends of one body, so that a receiver need not take more at once. */
const MAX_BODY_BYTES = 1_048_576;

export class Webhook {
  readonly #context: WebhookContext;
  readonly #filter: EventFilter;
  #position: number;
  #delivered = 0;
  #failed = 0;
  #givenUp = 0;

  constructor(context: WebhookContext, position: number) {
    this.#context = context;
    this.#filter = new EventFilter(context.options);
    this.#position = position;
  }

  get name(): string {
    return this.#context.options.name;
  }

  get stats(): WebhookStats {
    return {
      delivered: this.#delivered,
      failed: this.#failed,
      givenUp: this.#givenUp,
      position: this.#position,
    };
  }

  /** Delivers what the feed has, until it ends. */
  async run(feed: AsyncIterator<FeedEntry>): Promise<void> {
    const { signal, options } = this.#context;
    let waiting: Promise<IteratorResult<FeedEntry, unknown>> | undefined;
    while (!signal.aborted) {
      const events: WebhookEvent[] = [];
      let bytes = 0;
      let to = this.#position;
      // The first is waited for; with it goes what is there at once.
      for (
        let looked = 0;
        looked < MAX_LOOKED && events.length < options.maxEvents && bytes < MAX_BODY_BYTES;
        looked++
      ) {
        waiting ??= feed.next();
        const result = await (looked === 0 ? waiting : Promise.race([waiting, nextTurn()]));
        if (result === undefined) break;
        waiting = undefined;
        if (result.done) return;
        to = result.value.type === 'gap' ? result.value.to : result.value.seq;
        const event = this.#filter.eventOf(result.value);
        if (!event) continue;
        events.push(event);
        bytes += JSON.stringify(event).length;
      }
      const isSettled = events.length === 0 || (await this.#settle(events));
      if (!isSettled) return;
      this.#position = to;
      await this.#context.moved({ epoch: this.#context.epoch, position: to }, events.length > 0);
    }
  }

  /** Delivers, however often it takes; what grows too old is given up. False: it was ended meanwhile. */
  async #settle(events: readonly WebhookEvent[]): Promise<boolean> {
    const { options, signal, logger, now } = this.#context;
    const begun = now();
    let pauseMs = options.retryMs;
    let hasFailed = false;
    let body = bodyOf(events);
    for (let given = false; ; ) {
      const failure = await this.#attempt(events, body);
      if (signal.aborted) return false;
      if (failure === undefined) {
        if (!given) this.#delivered += events.length;
        if (hasFailed) logger.info({ webhook: this.name }, 'the webhook takes deliveries again');
        return true;
      }
      this.#failed++;
      const fields = { webhook: this.name, reason: failure.reason };
      if (!hasFailed) logger.warn(fields, 'a webhook does not take a delivery; it is tried again');
      hasFailed = true;
      if (!given && now() - begun >= options.maxAgeMs) {
        this.#givenUp += events.length;
        logger.error(
          { ...fields, events: events.length },
          'events of a webhook are given up, and will be told as a gap',
        );
        given = true;
        // In their place the receiver is told which ones it did not get, for as long as that takes.
        body = bodyOf([gapOf(events, this.#position)]);
        pauseMs = options.retryMs;
      }
      await this.#context.pause(
        Math.max(pauseMs, Math.min(failure.retryAfterMs, options.maxRetryMs)),
        signal,
      );
      if (signal.aborted) return false;
      pauseMs = Math.min(pauseMs * 2, options.maxRetryMs);
    }
  }

  /** One attempt; answers why it failed. */
  async #attempt(
    events: readonly WebhookEvent[],
    body: string,
  ): Promise<{ readonly reason: string; readonly retryAfterMs: number } | undefined> {
    const { options, signal, now, agent } = this.#context;
    try {
      const headers = signedHeaders(this.#context.key(), deliveryId(events), now(), body);
      const response = await fetch(options.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': agent, ...headers },
        body,
        // A receiver that sends deliveries elsewhere would decide where this machine connects to.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
      });
      void response.body?.cancel().catch(() => undefined);
      if (response.ok) return undefined;
      const retryAfter = Number(response.headers.get('retry-after') ?? 0);
      return { reason: `status ${response.status}`, retryAfterMs: (retryAfter > 0 ? retryAfter : 0) * 1000 };
    } catch (error) {
      return { reason: reasonOf(error), retryAfterMs: 0 };
    }
  }
}

/** Entries that are looked at in one go, wanted or not: the cursor moves on at last. */
const MAX_LOOKED = 10_000;

function bodyOf(events: readonly WebhookEvent[]): string {
  return JSON.stringify({ events });
}

/** The same events have the same id, however often they are sent. */
function deliveryId(events: readonly WebhookEvent[]): string {
  const [first, last] = [events[0], events.at(-1)];
  return `${placeOf(first)}_${placeOf(last)}`;
}

function placeOf(event: WebhookEvent | undefined): string {
  return event?.type === 'gap' ? `gap-${event.from}-${event.to}` : String(event?.id);
}

function gapOf(events: readonly WebhookEvent[], position: number): WebhookEvent {
  const last = events.at(-1)!;
  return { type: 'gap', from: position, to: last.type === 'gap' ? last.to : last.seq };
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { readonly cause?: Error };
  if (name === 'TimeoutError') return 'no answer in time';
  return cause instanceof Error ? cause.message : message;
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}
