/**
 * One end of a pair over a stream socket: messages are framed on their way out and scanned on their way in.
 *
 * What one turn of the event loop sends goes into the kernel with one write: what everybody does who wants
 * speed, the client libraries of brokers as well. One write for each message would measure system calls.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Line } from '../way.js';
import type { PayloadListener, Scanner } from './frame-scanner.js';

/** What a {@link StreamLine} is made of. */
export interface StreamLineParts {
  /** Sends, and receives where there is no `inbound`. */
  readonly socket: Socket;
  readonly inbound?: Socket;
  /** A message as it stands on the stream; the result is the line's, the bytes are not. */
  frame(bytes: Uint8Array): Uint8Array;
  scanner(listener: PayloadListener): Scanner;
}

/** A line over connected sockets. */
export class StreamLine implements Line {
  readonly #parts: StreamLineParts;
  #gathered: Uint8Array[] = [];
  /** Whether the socket holds more than it wants to, and has not drained since. */
  #full = false;

  constructor(parts: StreamLineParts) {
    this.#parts = parts;
    parts.socket.on('drain', () => {
      this.#full = false;
    });
  }

  send(bytes: Uint8Array): boolean {
    if (this.#full) return false;
    if (this.#gathered.length === 0) queueMicrotask(() => this.#write());
    this.#gathered.push(this.#parts.frame(bytes));
    return true;
  }

  receive(listener: PayloadListener): void {
    const scanner = this.#parts.scanner(listener);
    const { socket, inbound = socket } = this.#parts;
    inbound.on('data', (chunk: Buffer) => scanner.scan(chunk, 0, chunk.length));
  }

  readonly room = (): Promise<unknown> => once(this.#parts.socket, 'drain');

  async close(): Promise<void> {
    this.#parts.socket.destroy();
    this.#parts.inbound?.destroy();
  }

  #write(): void {
    const bytes = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#full = !this.#parts.socket.write(bytes);
  }
}

/** `head`, the bytes and `tail` in one buffer; head and tail are ASCII. */
export function frameText(head: string, bytes: Uint8Array, tail: string): Buffer {
  const frame = Buffer.allocUnsafe(head.length + bytes.length + tail.length);
  frame.write(head, 0, 'latin1');
  frame.set(bytes, head.length);
  frame.write(tail, head.length + bytes.length, 'latin1');
  return frame;
}

/** Reads the decimal number at `start … end`. */
export function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}
