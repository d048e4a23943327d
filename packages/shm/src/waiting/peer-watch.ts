/**
 * Watches the other side of a channel: has somebody come, has he left, has he died?
 *
 * Who has a side is a token in a word; what became of him is read from there, from his farewell, and from proof of death. The
 * state changes in `check` only, which is called when a connection opens or closes and every safety interval: a close is
 * noticed at once, a death as soon as the kernel shows it, at the latest within {@link LIVENESS_INTERVAL_MS}.
 *
 *     awaited ──▶ attached ──▶ left ──┐
 *                  ▲    └────▶ died ──┤
 *                  └──────────────────┘
 */
import { load } from '../platform/atomics.js';
import type { Identity } from '../platform/liveness.js';
import type { Segment } from '../segment/segment.js';
import type { Doorbell } from './doorbell.js';

/** How often a peer whose connection is open, or that has none, is asked for at the kernel. */
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
  readonly doorbell: Doorbell;
  readonly onChange: (peer: PeerState) => void;
}

/** The other side of one channel, as it was last seen. */
export class PeerWatch {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #options: PeerWatchOptions;
  #token = 0;
  /** What the farewell word held when it was last looked at. */
  #farewell: number;
  #identity: Identity | undefined;
  #state: PeerState = { state: 'awaited' };
  #checkedAt = 0;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;

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

  /** Looks what became of the peer. `closed`: a connection has just closed, so it is worth asking the kernel. */
  check(closed: boolean): void {
    const holder = load(this.#words, this.#options.sideWord);
    const farewell = load(this.#words, this.#options.farewellWord);
    // Between his farewell and the release of the side, where he may be killed, he counts as gone.
    const token = holder === farewell ? 0 : holder;
    if (token !== this.#token || farewell !== this.#farewell) {
      this.#gone(farewell);
      if (token !== 0) this.#came(token);
      return;
    }
    if (token === 0 || this.#state.state !== 'attached') return;
    const now = performance.now();
    if (!closed && now - this.#checkedAt < LIVENESS_INTERVAL_MS) return;
    this.#checkedAt = now;
    if (this.#segment.participants.isDead(token)) this.#died();
    else if (closed) this.#askAgain();
    else this.#options.doorbell.connect(token);
  }

  /** Stops asking. */
  close(): void {
    clearTimeout(this.#retry);
  }

  #came(token: number): void {
    const { participants } = this.#segment;
    const info = participants.describe(token);
    this.#token = token;
    this.#identity = info?.identity;
    this.#checkedAt = performance.now();
    this.#retryMs = FIRST_RETRY_MS;
    const pid = info?.pid ?? 0;
    if (participants.isDead(token)) {
      this.#died(pid);
      return;
    }
    this.#options.doorbell.connect(token);
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
    this.#identity = undefined;
    clearTimeout(this.#retry);
  }

  #died(pid: number = this.#state.state === 'awaited' ? 0 : this.#state.pid): void {
    if (this.#identity !== undefined) this.#options.doorbell.forget(this.#token, this.#identity);
    this.#change({ state: 'died', pid });
  }

  #askAgain(): void {
    clearTimeout(this.#retry);
    if (this.#retryMs > LAST_RETRY_MS) return;
    this.#retry = setTimeout(() => this.check(true), this.#retryMs);
    this.#retry.unref();
    this.#retryMs *= 2;
  }

  #change(state: PeerState): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}
