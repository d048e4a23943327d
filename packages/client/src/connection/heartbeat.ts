/**
 * Notices a dead peer, and shows the peer that this side lives: a pulled cable sends no FIN.
 *
 * One timer that ticks four times in the timeout, and no clock call per received byte. Two ticks without
 * anything heard or said make a ping, a third one is the end.
 *
 * A tick that comes far too late means that this machine slept, or that a browser froze its tab. Then the
 * peer has a short time to answer, since its end of the connection is likely gone. When the tick after that
 * is late too, all ticks come late here, as those of a hidden page do, and it counts as any other.
 *
 * Linux and macOS stop their monotonic clocks and timers in suspend, so that no tick seems late after it. The
 * time of day goes on there. When it runs ahead of the ticks, the machine slept, or somebody set the clock.
 * Therefore it causes a question to the peer, and never an end: a peer that answers was not lost.
 */
import { type Clock, monotonicMs } from '../clock.js';

const TICKS_PER_TIMEOUT = 4;
const PING_TICKS = 2;
const DEAD_TICKS = 3;
const WAKE_TIMEOUT_MS = 5000;

export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: unknown;
  #quietTicks = 0;
  #muteTicks = 0;
  #checking = false;
  #lastTickAt!: number;
  /** The same moment by the time of day. */
  #lastTickTime!: number;

  /** To be set when something is received. */
  heard = true;
  /** To be set when something is sent. */
  said = true;

  constructor(clock: Clock, timeoutMs: number, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#intervalMs = Math.max(1, Math.floor(timeoutMs / TICKS_PER_TIMEOUT));
    this.#ping = ping;
    this.#dead = dead;
    this.#elapsedMs();
    this.#wait(this.#intervalMs);
  }

  /** Asks the peer for a sign of life within a few seconds. */
  check(): void {
    this.#checking = true;
    this.heard = false;
    this.#quietTicks = DEAD_TICKS - 1;
    this.#ping();
    this.#elapsedMs();
    this.stop();
    this.#wait(Math.min(WAKE_TIMEOUT_MS, this.#intervalMs));
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #wait(delayMs: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#tick(), delayMs);
  }

  /** Time since this was asked last, by the clock that went further. */
  #elapsedMs(): number {
    const [at, time] = [monotonicMs(this.#clock), this.#clock.now()];
    const elapsedMs = Math.max(at - this.#lastTickAt, time - this.#lastTickTime);
    this.#lastTickAt = at;
    this.#lastTickTime = time;
    return elapsedMs;
  }

  #tick(): void {
    const lateMs = this.#elapsedMs() - this.#intervalMs;
    this.#quietTicks = this.heard ? 0 : this.#quietTicks + 1;
    this.#muteTicks = this.said ? 0 : this.#muteTicks + 1;
    this.heard = false;
    this.said = false;
    if (!this.#checking && lateMs > this.#intervalMs + WAKE_TIMEOUT_MS) this.check();
    else if (this.#quietTicks >= DEAD_TICKS) {
      this.#dead();
    } else {
      this.#checking = false;
      if (this.#quietTicks >= PING_TICKS || this.#muteTicks >= PING_TICKS) this.#ping();
      this.#wait(this.#intervalMs);
    }
  }
}
