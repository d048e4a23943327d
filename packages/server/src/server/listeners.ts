/**
 * The listeners of a server. One that throws, or whose promise rejects, is logged, and neither the server nor the other
 * listeners notice.
 */
import type { OptionNames } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { Logger } from '../options/logger.js';
import { assertNames } from '../options/option-names.js';
import type { SessionEvents } from '../session/sessions.js';

/** What a server tells of. */
export interface ServerEvents extends SessionEvents {
  /** All that a turn of the event loop brought in was written to everybody who was behind, which took so long. */
  'turn-ended': { readonly durationMs: number };
}

/** Every event there is; the compiler keeps it complete. */
const EVENT_NAMES: Readonly<Record<keyof ServerEvents, true>> = {
  'session-opened': true,
  'session-away': true,
  'session-resumed': true,
  'session-ended': true,
  'room-joined': true,
  'room-left': true,
  'turn-ended': true,
};

/** Options of `on`. */
export interface ListenOptions {
  /** Removes the listener when it is aborted. */
  readonly signal?: AbortSignal;
}

const OPTION_NAMES: OptionNames<ListenOptions> = { signal: true };

type Listener<Event> = (event: Event) => unknown;

interface Registration {
  readonly listener: Listener<never>;
}

export class Listeners {
  readonly #logger: Logger;
  /** Copied on change, so that a listener may add and remove others while it is called. */
  readonly #byEvent = new Map<string, readonly Registration[]>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Calls `listener` with each event of that name from now on.
   *
   * @returns removes the listener
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when there is no such event, or no such option
   */
  on<Name extends keyof ServerEvents>(
    name: Name,
    listener: Listener<ServerEvents[Name]>,
    options: ListenOptions = {},
  ): () => void {
    assertNames(options, OPTION_NAMES, { method: 'on' });
    if (!Object.hasOwn(EVENT_NAMES, name)) {
      const message = `on: there is no event ${String(name)}; there is ${Object.keys(EVENT_NAMES).join(', ')}`;
      throw new ServerError(ServerErrorCode.BadOption, message);
    }
    if (typeof listener !== 'function') throw new TypeError(`the listener of ${name} is not a function`);
    const { signal } = options;
    if (signal?.aborted) return () => {};
    const registration: Registration = { listener };
    const remove = (): void => {
      signal?.removeEventListener('abort', remove);
      this.#byEvent.set(
        name,
        this.#registered(name).filter((other) => other !== registration),
      );
    };
    signal?.addEventListener('abort', remove);
    this.#byEvent.set(name, [...this.#registered(name), registration]);
    return remove;
  }

  emit<Name extends keyof ServerEvents>(name: Name, event: ServerEvents[Name]): void {
    for (const { listener } of this.#registered(name)) {
      try {
        // One that is asynchronous fails later, and must not end the process for that.
        const done: unknown = (listener as Listener<ServerEvents[Name]>)(event);
        if (done instanceof Promise) done.catch((err: unknown) => this.#failed(err, name));
      } catch (err) {
        this.#failed(err, name);
      }
    }
  }

  #registered(name: string): readonly Registration[] {
    return this.#byEvent.get(name) ?? NONE;
  }

  #failed(err: unknown, name: string): void {
    this.#logger.error({ err }, `a listener of ${name} failed`);
  }
}

const NONE: readonly Registration[] = [];
