/**
 * Writes to a socket what one turn of the event loop sends, in one write: what everybody does who wants speed, the
 * client libraries of brokers as well. Whoever writes each message by itself measures system calls.
 */
import type { Socket } from 'node:net';

export class TurnWriter {
  readonly #socket: Socket;
  #gathered: Uint8Array[] = [];
  #full = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => {
      this.#full = false;
    });
  }

  /** Whether the socket holds more than it wants to, and has not drained since. */
  get full(): boolean {
    return this.#full;
  }

  /** Takes `bytes`, which must not change any more. */
  write(bytes: Uint8Array): void {
    if (this.#gathered.length === 0) queueMicrotask(() => this.#flush());
    this.#gathered.push(bytes);
  }

  #flush(): void {
    const bytes = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#full = !this.#socket.write(bytes);
  }
}
