/**
 * The one timer of the screen: measures the way to the server now and then, and draws each second while
 * something on the screen depends on the time. It sleeps until one of them is due.
 */
import type { ChatClient } from '@chat/client';
import type { SteadyClock } from '../../clock.js';

/** The part of the screen that {@link Pulse} needs. */
export interface PulseOptions {
  readonly client: ChatClient;
  readonly clock: SteadyClock;
  readonly onRoundTrip: (roundTripMs: number) => void;
  /** Brings up to date what depends on the time. @returns whether there is more to come */
  readonly onSecond: () => boolean;
}

const PING_INTERVAL_MS = 20_000;
const SECOND_MS = 1000;

export class Pulse {
  readonly #options: PulseOptions;
  #pingAt = 0;
  #timer: unknown;
  #isStopped = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** Something begins to depend on the time; or, with `pings`, the connection is another one. */
  beat(pings = false): void {
    const { client, clock, onRoundTrip, onSecond } = this.#options;
    const now = clock.monotonic();
    const { status } = client.state;
    if (status === 'closed' || this.#isStopped) return;
    if (status === 'open' && (pings || now >= this.#pingAt)) {
      this.#pingAt = now + PING_INTERVAL_MS;
      // When it fails, the connection broke, which is told as its state.
      client.ping().then(onRoundTrip, () => {});
    }
    const isCounting = onSecond();
    // That call may have begun a beat of its own.
    clock.clearTimeout(this.#timer);
    const wait = isCounting ? SECOND_MS : Math.max(SECOND_MS, this.#pingAt - now);
    this.#timer = clock.setTimeout(() => this.beat(), wait);
  }

  stop(): void {
    this.#isStopped = true;
    this.#options.clock.clearTimeout(this.#timer);
  }
}
