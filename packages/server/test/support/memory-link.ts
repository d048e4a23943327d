/** A link without an operating system: what was written lies in an array, and unsent stays unsent until told. */
import type { Link, LinkHandler } from '../../src/connection/link.js';

export class MemoryLink implements Link {
  readonly address: string;
  handler: LinkHandler | undefined;
  /** Called with what the other side receives. */
  onOutput: (bytes: Uint8Array) => void = () => {};
  onEnded: () => void = () => {};
  unsentBytes = 0;
  paused = false;
  ended = false;
  closed = false;
  endCode: number | undefined;
  #stalled = false;
  #corked = 0;
  #waiting: Uint8Array[] = [];
  #input: Uint8Array[] = [];

  constructor(address = '192.0.2.1') {
    this.address = address;
  }

  write(bytes: Uint8Array): void {
    if (this.ended || this.closed || bytes.length === 0) return;
    this.unsentBytes += bytes.length;
    this.#waiting.push(bytes);
    if (!this.#stalled && this.#corked === 0) this.#send();
  }

  cork(): void {
    this.#corked++;
  }

  uncork(): void {
    this.#corked = Math.max(0, this.#corked - 1);
    if (!this.#stalled && this.#corked === 0) this.#send();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.closed && !this.paused && this.#input.length > 0)
      this.handler?.onBytes(this.#input.shift()!);
  }

  end(code?: number): void {
    if (this.ended) return;
    this.ended = true;
    this.endCode = code;
    if (!this.#stalled) this.#finish();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#waiting = [];
    // As with a socket, nothing is told from within the call that brings it about.
    queueMicrotask(() => {
      this.handler?.onClosed();
      this.handler = undefined;
      this.onEnded();
    });
  }

  // ── the other side ──

  /** Bytes arrive. */
  receive(bytes: Uint8Array): void {
    if (this.closed || this.ended) return;
    if (this.paused) this.#input.push(bytes);
    else this.handler?.onBytes(bytes);
  }

  /** The other side sends nothing more. */
  receiveEnd(): void {
    this.handler?.onEnd();
  }

  /** The other side does not read any more: from here on everything stays unsent. */
  stall(): void {
    this.#stalled = true;
  }

  /** The other side reads again. */
  flow(): void {
    this.#stalled = false;
    const hadUnsent = this.unsentBytes > 0;
    this.#send();
    if (this.ended) this.#finish();
    else if (hadUnsent) this.handler?.onFlushed();
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.unsentBytes = 0;
    // Copied: the server may write into the same memory once it counts as sent.
    for (const bytes of waiting) this.onOutput(Uint8Array.from(bytes));
  }

  #finish(): void {
    this.#send();
    this.destroy();
  }
}
