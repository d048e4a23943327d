/**
 * Room for newcomers where nobody is heard of to be alive: a client of the line dialect is not pinged, and may read in
 * silence for as long as it likes. Only when the server is full does the one that has been silent for longest go.
 */
import { CloseCode } from '@chat/protocol';
import type { Peer } from '../session/peer.js';

/** The part of a chat that is looked at. */
export interface Crowd {
  readonly sessions: Iterable<{ readonly peer: Peer | undefined }>;
  readonly wheel: { readonly now: number };
  readonly options: { readonly lineSilenceMs: number };
}

export class SilentLines {
  readonly #crowd: Crowd;
  /** Before this nobody can have been silent for long enough: it spares a look at everybody. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  /** Shows out the session that has been silent for longest; false when none has for `lineSilenceMs`. */
  tryMakeRoom(): boolean {
    const { wheel, options } = this.#crowd;
    if (wheel.now < this.#notBefore) return false;
    let longest: Peer | undefined;
    let since = wheel.now;
    for (const { peer } of this.#crowd.sessions) {
      if (peer?.silentSince === undefined || peer.silentSince > since) continue;
      longest = peer;
      since = peer.silentSince;
    }
    if (!longest || wheel.now - since < options.lineSilenceMs) {
      this.#notBefore = since + options.lineSilenceMs;
      return false;
    }
    const reason = 'the server is full, and nothing was heard from you for long';
    longest.close(CloseCode.IdleTimeout, reason);
    return true;
  }
}
