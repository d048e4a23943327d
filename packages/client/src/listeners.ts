/**
 * Typed events. A listener that throws, or whose promise rejects, stops neither the others nor the socket:
 * its error goes to the `onError` of the owner.
 */

/** Options of every `on` in this package. */
export interface ListenOptions {
  /** Removes the listener when aborted. */
  readonly signal?: AbortSignal;
  /** Removes the listener after its first call. */
  readonly once?: boolean;
}

/** What an event hands to its listeners. */
export type Listener<Value> = (value: Value) => unknown;

interface Registration {
  readonly listener: Listener<never>;
  readonly once: boolean;
}

export class Listeners<Events extends object> {
  /** Copied on change: `emit` walks a list that nobody alters, without copying it for each event. */
  readonly #byEvent = new Map<keyof Events, readonly Registration[]>();
  readonly #onError: (error: unknown, event: string) => void;

  /** How many listeners there are, of all events. */
  count = 0;

  constructor(onError: (error: unknown, event: string) => void) {
    this.#onError = onError;
  }

  on<Name extends keyof Events & string>(
    event: Name,
    listener: Listener<Events[Name]>,
    options: ListenOptions = {},
  ): () => void {
    if (typeof listener !== 'function') throw new TypeError(`the listener of ${event} is not a function`);
    if (options.signal?.aborted) return () => {};
    const registration: Registration = { listener, once: options.once ?? false };
    this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), registration]);
    this.count++;
    const remove = () => {
      options.signal?.removeEventListener('abort', remove);
      this.#remove(event, registration);
    };
    options.signal?.addEventListener('abort', remove, { once: true });
    return remove;
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

  #remove(event: keyof Events, registration: Registration): void {
    const before = this.#byEvent.get(event);
    if (!before?.includes(registration)) return;
    this.count--;
    const after = before.filter((other) => other !== registration);
    if (after.length > 0) this.#byEvent.set(event, after);
    else this.#byEvent.delete(event);
  }
}
