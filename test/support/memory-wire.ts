/**
 * A connection between a client and a chat, in memory: what either side writes lies on the wire until the test lets some
 * bytes of it pass, or cuts it there.
 */
import type { OpenTransport, TransportSink } from '@chat/client';
import { BinaryPeer } from '../../packages/server/src/dialects/binary/binary-peer.js';
import type { MemoryChat } from '../../packages/server/test/support/memory-chat.js';
import { MemoryLink } from '../../packages/server/test/support/memory-link.js';

/** Bytes under way in one direction. */
class Lane {
  #chunks: Uint8Array[] = [];
  isEnded = false;
  readonly #arrive: (bytes: Uint8Array) => void;
  readonly #end: () => void;

  constructor(arrive: (bytes: Uint8Array) => void, end: () => void) {
    this.#arrive = arrive;
    this.#end = end;
  }

  get isIdle(): boolean {
    return this.#chunks.length === 0;
  }

  write(bytes: Uint8Array): void {
    this.#chunks.push(Uint8Array.from(bytes));
  }

  pass(count: number): void {
    for (let left = count; left > 0 && this.#chunks.length > 0; ) {
      const chunk = this.#chunks.shift()!;
      if (chunk.length > left) this.#chunks.unshift(chunk.subarray(left));
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.#arrive(part);
    }
    if (this.isIdle && this.isEnded) this.#end();
  }
}

/** The connection of today of one client, and the way to the next. */
export class MemoryWire {
  readonly #chat: MemoryChat['chat'];
  #up: Lane | undefined;
  #down: Lane | undefined;
  #cut: () => void = () => {};
  cuts = 0;

  constructor(chat: MemoryChat['chat']) {
    this.#chat = chat;
  }

  readonly transport: OpenTransport = (_url, sink) => {
    this.cut();
    return Promise.resolve(this.#open(sink));
  };

  get isIdle(): boolean {
    return (this.#up?.isIdle ?? true) && (this.#down?.isIdle ?? true);
  }

  /** Lets so many bytes pass, in each direction. */
  pass(count: number): void {
    this.#up?.pass(count);
    this.#down?.pass(count);
  }

  /** Breaks it: what is under way is lost, and both sides see it. */
  cut(): void {
    if (!this.#up) return;
    this.cuts++;
    this.#cut();
  }

  #open(sink: TransportSink): Awaited<ReturnType<OpenTransport>> {
    const link = new MemoryLink();
    new BinaryPeer(this.#chat, link, { dialect: 'binary', preface: true });
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      this.#up = undefined;
      this.#down = undefined;
      link.destroy();
      sink.closed();
    };
    const up = new Lane((bytes) => link.receive(bytes), over);
    const down = new Lane((bytes) => sink.data(bytes), over);
    link.onOutput = (bytes) => down.write(bytes);
    link.onEnded = () => {
      down.isEnded = true;
    };
    this.#up = up;
    this.#down = down;
    this.#cut = over;
    return {
      framed: false,
      bufferedBytes: 0,
      write: (bytes) => up.write(bytes),
      end: () => {
        up.isEnded = true;
      },
      destroy: over,
    };
  }
}
