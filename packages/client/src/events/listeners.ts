/**
 * Typed events, for listeners and for iterators. A listener that throws, or whose promise rejects, stops
 * neither the others nor the socket: its error goes to the `onError` of the owner.
 */

import { assertKnown } from '../assert-known.js';
import { EventQueue, type StreamOptions } from './event-queue.js';
import { onAbort } from './on-abort.js';

/** Options of every `on` in this package. */
export interface ListenOptions {
  /** Removes the listener when aborted. */
  readonly signal?: AbortSignal;
  /** Removes the listener after its first call. */
  readonly once?: boolean;
}

/** A function that takes the value of an event. */
export type Listener<Value> = (value: Value) => unknown;

interface Registration {
  readonly listener: Listener<never>;
  readonly once: boolean;
  readonly onRemoved?: () => void;
  /** Ends the iterator that the values go to. */
  readonly end?: (error: unknown) => void;
}

export class Listeners<Events extends object> {
  /** Copied on change: `emit` walks a list that nobody alters, without copying it for each event. */
  readonly #byEvent = new Map<keyof Events, readonly Registration[]>();
  readonly #names: string;
  readonly #onError: (error: unknown, event: string) => void;

  /** How many listeners and iterators there are, of all events. */
  count = 0;

  /** @param names - all events that there are, see `AllNames` */
  constructor(names: string, onError: (error: unknown, event: string) => void) {
    this.#names = names;
    this.#onError = onError;
  }

  /** @throws TypeError for an event that does not exist, which nobody would ever hear of */
  on<Name extends keyof Events & string>(
    event: Name,
    listener: Listener<Events[Name]>,
    { signal, once = false, ...others }: ListenOptions = {},
  ): () => void {
    assertKnown('', others);
    assertKnown(this.#names, { [event]: listener }, 'event');
    if (typeof listener !== 'function') throw new TypeError(`the listener of ${event} is not a function`);
    if (signal?.aborted) return () => {};
    const remove = () => this.#remove(event, registration);
    const registration: Registration = { listener, once, onRemoved: onAbort(signal, remove) };
    this.#add(event, registration);
    return remove;
  }

  /** An iterator over these events from now on, one after the other as they come. */
  stream<Name extends keyof Events & string>(
    options: StreamOptions,
    ...events: readonly Name[]
  ): EventQueue<Events[Name]> {
    assertKnown('signal,maxQueued,overflow', options);
    const registration: Registration = {
      listener: (value) => queue.push(value),
      once: false,
      end: (error) => queue.end(error),
    };
    const queue: EventQueue<Events[Name]> = new EventQueue(options, () => {
      for (const event of events) this.#remove(event, registration);
    });
    if (!queue.ended) for (const event of events) this.#add(event, registration);
    return queue;
  }

  /** Ends the iterators that `event` is part of: cleanly, or with `error`. */
  end(event: keyof Events, error?: unknown): void {
    for (const registration of this.#byEvent.get(event) ?? []) registration.end?.(error);
  }

  has(event: keyof Events): boolean {
    return this.#byEvent.has(event);
  }

  emit<Name extends keyof Events & string>(event: Name, value: Events[Name]): void {
    const registrations = this.#byEvent.get(event);
    if (registrations === undefined) return;
    for (const registration of registrations) {
      if (registration.once) this.#remove(event, registration);
      try {
        const result = (registration.listener as Listener<Events[Name]>)(value);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onError(error, event));
      } catch (error) {
        this.#onError(error, event);
      }
    }
  }

  /** Removes all. */
  clear(): void {
    for (const [event, registrations] of this.#byEvent) {
      for (const registration of registrations) this.#remove(event, registration);
    }
  }

  #add(event: keyof Events, registration: Registration): void {
    this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), registration]);
    this.count++;
  }

  #remove(event: keyof Events, registration: Registration): void {
    const before = this.#byEvent.get(event);
    if (!before?.includes(registration)) return;
    registration.onRemoved?.();
    this.count--;
    const after = before.filter((other) => other !== registration);
    if (after.length > 0) this.#byEvent.set(event, after);
    else this.#byEvent.delete(event);
  }
}
