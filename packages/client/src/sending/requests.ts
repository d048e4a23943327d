/**
 * Requests to the server and their answers, by number.
 *
 * Every request settles: by its answer, its timeout, its signal, or the end of the client. A request may
 * be asked twice without harm. So one whose connection was lost is asked again over the next connection,
 * within its timeout.
 */
import type { Failure } from '@chat/protocol';
import { encodeRequest, type RequestBody, type ResponseBodies } from '@chat/protocol/frames';
import type { assertKnown } from '../assert-known.js';
import type { Clock } from '../clock.js';
import type { checkShape } from '../connection/check-json.js';
import { failureError } from '../connection/refusals.js';
import { ClientError } from '../errors.js';
import { onAbort } from '../events/on-abort.js';

/** Answer to a history request: whole entry frames in order. */
export interface HistoryAnswer {
  readonly chunks: readonly Uint8Array[];
  readonly end: boolean;
}

/** The answer to each request. */
export interface Answers extends ResponseBodies {
  readonly history: HistoryAnswer;
}

export interface AskOptions<Answer> {
  readonly signal?: AbortSignal | undefined;
  /** Sees the answer before any later frame is looked at. May throw: the request rejects with that. */
  readonly onAnswer?: (answer: Answer) => void;
  /** Called when the answer comes after the promise was settled. */
  readonly onLateAnswer?: (answer: Answer) => void;
  /** Whether it is asked again on another connection. @defaultValue true */
  readonly repeat?: boolean;
}

/** The requests of a client, and what a part that is fetched later needs to make one. */
export interface Asking {
  readonly requests: Requests;
  readonly epoch: string;
  readonly assertKnown: typeof assertKnown;
  readonly checkShape: typeof checkShape;
}

interface Pending {
  readonly request: RequestBody;
  readonly options: AskOptions<never>;
  readonly chunks: Uint8Array[];
  readonly settle: (error: unknown, answer?: unknown) => void;
  /** The promise is settled. */
  abandoned: boolean;
}

export class Requests {
  readonly #pending = new Map<number, Pending>();
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #send: ((bytes: Uint8Array) => void) | undefined;
  #lastId = 0;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether such a request has no answer yet, settled or not. */
  some(predicate: (request: RequestBody) => boolean): boolean {
    return [...this.#pending.values()].some(({ request }) => predicate(request));
  }

  ask<Op extends RequestBody['op']>(
    request: Extract<RequestBody, { readonly op: Op }>,
    options: AskOptions<Answers[Op]> = {},
  ): Promise<Answers[Op]> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      signal?.throwIfAborted();
      const id = ++this.#lastId;
      const abandon = (error: unknown) => {
        pending.settle(error);
        // An answer that is still under way is waited for; what was never asked is forgotten.
        if (this.#send === undefined) this.#pending.delete(id);
      };
      const stopWaiting = onAbort(signal, () => abandon(signal?.reason));
      const timer = this.#clock.setTimeout(() => {
        const message = `no answer to '${request.op}' within ${this.#timeoutMs} ms`;
        abandon(new ClientError('ERR_CLIENT_REQUEST_TIMEOUT', message));
      }, this.#timeoutMs);
      const pending: Pending = {
        request,
        options: options as AskOptions<never>,
        chunks: [],
        abandoned: false,
        settle: (error, answer) => {
          pending.abandoned = true;
          this.#clock.clearTimeout(timer);
          stopWaiting();
          if (error !== undefined) reject(error);
          else resolve(answer as Answers[Op]);
        },
      };
      this.#pending.set(id, pending);
      this.#write(id, pending);
    });
  }

  /** Asks all that is open on a new connection. */
  open(send: (bytes: Uint8Array) => void): void {
    this.#send = send;
    for (const [id, pending] of this.#pending) this.#write(id, pending);
  }

  /** The connection is gone. */
  lost(error: ClientError): void {
    this.#send = undefined;
    for (const [id, pending] of this.#pending) {
      pending.chunks.length = 0;
      if (!pending.abandoned && pending.options.repeat === false) pending.settle(error);
      if (pending.abandoned) this.#pending.delete(id);
    }
  }

  /** Rejects everything. */
  fail(error: ClientError): void {
    this.#send = undefined;
    for (const pending of this.#pending.values()) if (!pending.abandoned) pending.settle(error);
    this.#pending.clear();
  }

  answer(id: number, answer: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (pending.abandoned) {
      pending.options.onLateAnswer?.(answer as never);
      return;
    }
    try {
      pending.options.onAnswer?.(answer as never);
      pending.settle(undefined, answer);
    } catch (error) {
      pending.settle(error);
    }
  }

  refuse(id: number, failure: Failure): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending && !pending.abandoned) pending.settle(failureError(failure));
  }

  history(id: number, entries: Uint8Array, last: boolean, end: boolean): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (!pending.abandoned) pending.chunks.push(entries);
    if (last) this.answer(id, { chunks: pending.chunks, end } satisfies HistoryAnswer);
  }

  #write(id: number, { request }: Pending): void {
    this.#send?.(encodeRequest(id, request));
  }
}
