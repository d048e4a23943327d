/**
 * A raw socket whose bytes land in one buffer that all sockets of the process share.
 *
 * A thousand subscribers read with no allocation and no stream machinery, so that what is left of the
 * machine belongs to the server. First it converses (`read` during a handshake), then it only listens.
 */
import { connect, type Socket } from 'node:net';
import type { Address } from '../../harness/server-process.js';
import type { ByteSink } from './frame-scanner.js';

const SHARED_BYTES = 262_144;
const HANDSHAKE_TIMEOUT_MS = 20_000;
const shared: Uint8Array = new Uint8Array(SHARED_BYTES);

/** Told about bytes `bytes[0 … length)`, borrowed until it returns. */
export type BytesListener = (bytes: Uint8Array, length: number) => void;

/** One connection of the load. */
export class SkimSocket implements ByteSink {
  readonly #socket: Socket;
  #early: Uint8Array = new Uint8Array(0);
  #listener: BytesListener = (bytes, length) => this.#keep(bytes, length);
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  private constructor(address: Address) {
    this.#socket = connect({
      ...address,
      onread: {
        buffer: shared,
        callback: (length, bytes) => {
          this.#listener(bytes, length);
          return true;
        },
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.once('error', (error) => this.#fail(error));
    this.#socket.once('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Connects. Rejects when nobody listens there. */
  static async open(address: Address): Promise<SkimSocket> {
    const socket = new SkimSocket(address);
    await socket.#wait((resolve) => socket.#socket.once('connect', resolve), 'no connection');
    return socket;
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /**
   * Waits until `parse` is satisfied with what has come, for handshakes.
   *
   * @param parse - given all bytes not yet consumed; answers how many of them to consume, or undefined for
   *   more
   */
  async read(parse: (bytes: Uint8Array) => number | undefined): Promise<void> {
    for (;;) {
      const consumed = parse(this.#early);
      if (consumed !== undefined) {
        this.#early = this.#early.slice(consumed);
        return;
      }
      await this.#wait((resolve) => {
        this.#wake = resolve;
      }, 'no answer in the handshake');
    }
  }

  /** From now on bytes go to `listener`, beginning with those not consumed yet. */
  listen(listener: BytesListener): void {
    this.#listener = listener;
    if (this.#early.length > 0) listener(this.#early, this.#early.length);
    this.#early = new Uint8Array(0);
  }

  /** Calls `listener` when the connection is lost other than by {@link SkimSocket.close}. */
  onLost(listener: (error: Error) => void): void {
    this.#socket.once('close', () => listener(this.#failure ?? new Error('closed')));
  }

  /** Stops reading until {@link SkimSocket.resume}; what comes meanwhile waits in the kernel. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #keep(bytes: Uint8Array, length: number): void {
    const joined = new Uint8Array(this.#early.length + length);
    joined.set(this.#early);
    joined.set(bytes.subarray(0, length), this.#early.length);
    this.#early = joined;
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #wait(begin: (resolve: () => void) => void, what: string): Promise<void> {
    if (this.#failure) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        this.#socket.destroy();
        reject(new Error(`${what} within ${HANDSHAKE_TIMEOUT_MS} ms`));
      }, HANDSHAKE_TIMEOUT_MS);
      this.#wake = resolve;
      begin(resolve);
    }).finally(() => clearTimeout(timer));
    this.#wake = undefined;
    if (this.#failure) throw this.#failure;
  }
}
