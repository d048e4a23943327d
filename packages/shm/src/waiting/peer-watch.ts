/**
 * Watches the other side of a channel: has somebody come, has it left, has it died?
 *
 * Who has a side is a token in a word; what became of it is read from there, from its farewell, and from proof of death. The
 * state changes in `check` only. A peer that comes or leaves rings, so that is noticed at once; of one that dies the connection closes,
 * and its death is noticed as soon as the kernel shows it, at the latest within {@link LAST_LOOK_MS}.
 *
 *     awaited ──▶ attached ──▶ left ──┐
 *                  ▲    └────▶ died ──┤
 *                  └──────────────────┘
 */
import { load } from '../platform/atomics.js';
import type { Segment } from '../segment/segment.js';
import type { Waiting } from './waiting.js';

/** How often a peer without a connection is asked for at the kernel. */
const LIVENESS_INTERVAL_MS = 400;
/** After a connection closed: its process may still be dying. */
const FIRST_RETRY_MS = 2;
const LAST_RETRY_MS = 128;

/** What is known of the other side. `pid` is the process that has it, or had it last. */
export type PeerState =
  | { readonly state: 'awaited' }
  | { readonly state: 'attached'; readonly pid: number }
  | { readonly state: 'left'; readonly pid: number }
  | { readonly state: 'died'; readonly pid: number };

/** What a {@link PeerWatch} needs to know. */
export interface PeerWatchOptions {
  /** The word that holds the token of the peer. */
  readonly sideWord: number;
  /** The word in which a peer that closes leaves its token. */
  readonly farewellWord: number;
  readonly waiting: Waiting;
  readonly onChange: (peer: PeerState) => void;
}

/** The other side of one channel, as it was last seen. */
export class PeerWatch {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #options: PeerWatchOptions;
  #token = 0;
  /** The bell of the peer's thread, as far as it is known. */
  #bell = 0;
  /** What the farewell word held when it was last looked at. */
  #farewell: number;
  #state: PeerState = { state: 'awaited' };
  #checkedAt = 0;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;

  constructor(segment: Segment, options: PeerWatchOptions) {
    this.#segment = segment;
    this.#words = segment.words;
    this.#options = options;
    this.#farewell = load(this.#words, options.farewellWord);
  }

  /** The peer as last seen. */
  get state(): PeerState {
    return this.#state;
  }

  /** Looks whether somebody has come or left. Returns whether the peer is there that was there before. */
  hear(): boolean {
    const holder = load(this.#words, this.#options.sideWord);
    const farewell = load(this.#words, this.#options.farewellWord);
    // Between its farewell and the release of the side, where it may be killed, it counts as gone.
    const token = holder === farewell ? 0 : holder;
    if (token !== this.#token || farewell !== this.#farewell) {
      this.#gone(farewell);
      // Whoever was told that it is gone may have closed the channel.
      if (token !== 0 && !this.#closed) this.#came(token);
      return false;
    }
    if (token === 0 || this.#state.state !== 'attached') return false;
    // It was seen while it was coming, before it had a bell.
    if (this.#bell <= 0) this.#watch();
    return true;
  }

  /** Looks what became of the peer. If the thread with the bell `closedBell` is the peer's, it is worth asking the kernel. */
  check(closedBell?: number): void {
    if (!this.hear()) return;
    const closed = closedBell !== undefined && (this.#bell <= 0 || closedBell === this.#bell);
    // The kernel closes the connection of all that dies; hundreds of idle channels ask it for nothing.
    if (!closed && this.#options.waiting.isWatched(this.#bell)) return;
    const now = performance.now();
    if (!closed && now - this.#checkedAt < LIVENESS_INTERVAL_MS) return;
    this.#checkedAt = now;
    if (this.#segment.participants.isDead(this.#token)) this.#died();
    else if (closed) this.#askAgain(closedBell);
    else this.#watch();
  }

  /** Stops asking. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #came(token: number): void {
    const { participants } = this.#segment;
    this.#token = token;
    this.#checkedAt = performance.now();
    this.#retryMs = FIRST_RETRY_MS;
    const pid = participants.describe(token)?.pid ?? 0;
    if (participants.isDead(token)) {
      this.#died(pid);
      return;
    }
    this.#watch();
    this.#change({ state: 'attached', pid });
  }

  /** The side is free, or somebody else's; its last holder may have come and left without having been seen. */
  #gone(farewell: number): void {
    const known = this.#state.state === 'attached' ? this.#state.pid : undefined;
    const left = farewell !== this.#farewell;
    if (left) {
      const pid = farewell === this.#token ? known : this.#segment.participants.describe(farewell)?.pid;
      this.#change({ state: 'left', pid: pid ?? 0 });
    } else if (known !== undefined) {
      this.#change({ state: 'died', pid: known });
    }
    this.#farewell = farewell;
    this.#token = 0;
    this.#bell = 0;
    clearTimeout(this.#retry);
  }

  #died(pid: number = this.#state.state === 'awaited' ? 0 : this.#state.pid): void {
    this.#options.waiting.forget(this.#bell);
    this.#change({ state: 'died', pid });
  }

  /** Sees to it that its thread is connected to, so that its end is noticed. */
  #watch(): void {
    this.#bell = this.#options.waiting.watch(this.#segment.participants.slotOf(this.#token));
  }

  #askAgain(closedBell: number): void {
    clearTimeout(this.#retry);
    if (this.#retryMs > LAST_RETRY_MS) return;
    this.#retry = setTimeout(() => this.check(closedBell), this.#retryMs);
    this.#retry.unref();
    this.#retryMs *= 2;
  }

  #change(state: PeerState): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}
