/**
 * What every transport owes to the client, whatever carries its bytes.
 *
 * An implementation brings a peer to talk to; the suite is the same for all.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenTransport, TlsOptions, Transport } from '../../src/index.js';

/** The other end of a connection. */
export interface Peer {
  /** Bytes that arrived so far. */
  readonly received: () => Uint8Array;
  /** Resolved when that many bytes have arrived. */
  readonly arrived: (bytes: number) => Promise<void>;
  readonly send: (bytes: Uint8Array) => void;
  /** Ends as a server does that says goodbye. */
  readonly end: () => void;
  /** Ends as a server does that crashes. */
  readonly crash: () => void;
  /** Resolved when the other side has ended or gone. */
  readonly gone: Promise<void>;
}

/** A place to connect to. */
export interface Listening {
  readonly url: string;
  readonly peer: () => Promise<Peer>;
  readonly close: () => Promise<void>;
}

export interface Subject {
  readonly open: OpenTransport;
  readonly listen: () => Promise<Listening>;
  /** A URL at which nobody answers. */
  readonly deadUrl: () => Promise<string>;
  readonly framed: boolean;
  readonly tls?: TlsOptions;
}

/** Collects what a transport tells. */
class Sink {
  readonly #chunks: Uint8Array[] = [];
  #waiting: (() => void) | undefined;
  readonly ends: (Error | undefined)[] = [];
  #ended: (() => void) | undefined;

  readonly data = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk);
    this.#waiting?.();
  };

  readonly closed = (error?: Error): void => {
    this.ends.push(error);
    this.#ended?.();
  };

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#chunks.flatMap((chunk) => [...chunk]));
  }

  get length(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async until(bytes: number): Promise<void> {
    while (this.length < bytes) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  async end(): Promise<void> {
    if (this.ends.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
  }
}

const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

/** Runs the suite on one transport. */
export function describeTransport(name: string, subject: () => Subject): void {
  describe(name, () => {
    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });

    const never = new AbortController().signal;

    async function connect(): Promise<{
      readonly transport: Transport;
      readonly sink: Sink;
      readonly peer: Peer;
    }> {
      const listening = await subject().listen();
      closers.push(listening.close);
      const sink = new Sink();
      const transport = await subject().open(listening.url, sink, { signal: never, tls: subject().tls });
      const peer = await listening.peer();
      return { transport, sink, peer };
    }

    it('says whether it names the dialect by itself', async () => {
      const { transport } = await connect();
      expect(transport.framed).toBe(subject().framed);
      transport.destroy();
    });

    it('carries bytes both ways, in order and unchanged', async () => {
      const { transport, sink, peer } = await connect();
      const bytes = pattern(300_000);
      for (let offset = 0; offset < bytes.length; offset += 50_000) {
        transport.write(bytes.slice(offset, offset + 50_000));
        peer.send(bytes.slice(offset, offset + 50_000));
      }
      await Promise.all([sink.until(bytes.length), peer.arrived(bytes.length)]);
      expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
      expect(Buffer.compare(peer.received(), bytes)).toBe(0);
      transport.destroy();
    });

    it('does not alter what it was given to write', async () => {
      const { transport, peer } = await connect();
      const bytes = pattern(1000);
      transport.write(bytes);
      await peer.arrived(1000);
      expect(Buffer.compare(bytes, pattern(1000))).toBe(0);
      transport.destroy();
    });

    it('sends what was written before it ends, and tells the end once', async () => {
      const { transport, sink, peer } = await connect();
      transport.write(pattern(100_000));
      transport.end();
      await peer.arrived(100_000);
      await peer.gone;
      await sink.end();
      expect(sink.ends).toEqual([undefined]);
    });

    it('tells a goodbye of the other side as an end without error', async () => {
      const { sink, peer } = await connect();
      peer.send(pattern(10));
      peer.end();
      await sink.end();
      expect(sink.length).toBe(10);
      expect(sink.ends).toEqual([undefined]);
    });

    it('tells once that the other side crashed', async () => {
      const { transport, sink, peer } = await connect();
      peer.crash();
      await sink.end();
      transport.write(pattern(10));
      transport.end();
      transport.destroy();
      expect(sink.ends).toHaveLength(1);
    });

    it('goes at once when it is destroyed', async () => {
      const { transport, sink, peer } = await connect();
      transport.destroy();
      transport.write(pattern(10));
      await Promise.all([peer.gone, sink.end()]);
      expect(sink.ends).toHaveLength(1);
      expect(peer.received()).toHaveLength(0);
    });

    it('says how much it holds', async () => {
      const { transport } = await connect();
      expect(transport.bufferedBytes).toBe(0);
      // More than sockets take; the other side may read as fast as it can.
      for (let i = 0; i < 200; i++) transport.write(pattern(65_536));
      expect(transport.bufferedBytes).toBeGreaterThan(0);
      transport.destroy();
    });

    it('rejects when nobody is there, and never tells an end', async () => {
      const sink = new Sink();
      const opening = subject().open(await subject().deadUrl(), sink, { signal: never, tls: subject().tls });
      await expect(opening).rejects.toBeInstanceOf(Error);
      expect(sink.ends).toEqual([]);
    });

    it('rejects with the reason of its signal, before or while it opens', async () => {
      const listening = await subject().listen();
      closers.push(listening.close);
      const sink = new Sink();
      const reason = new Error('enough');
      const before = subject().open(listening.url, sink, {
        signal: AbortSignal.abort(reason),
        tls: subject().tls,
      });
      await expect(before).rejects.toBe(reason);
      const controller = new AbortController();
      const opening = subject().open(listening.url, sink, { signal: controller.signal, tls: subject().tls });
      controller.abort(reason);
      await expect(opening).rejects.toBe(reason);
      expect(sink.ends).toEqual([]);
    });
  });
}
