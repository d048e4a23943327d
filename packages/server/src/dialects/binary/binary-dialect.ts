/** Frames over TCP, TLS or a Unix socket, behind the preface. (Over WebSocket see `http/`.) */
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import type { ConnectionContext } from '../../connection/context.js';
import type { Arrival, ConnectionRefusal, Dialect } from '../../connection/dialect.js';
import { SocketLink } from '../../connection/link.js';
import { BinaryPeer } from './binary-peer.js';

export class BinaryDialect implements Dialect {
  readonly #context: ConnectionContext;

  constructor(context: ConnectionContext) {
    this.#context = context;
  }

  accept({ socket, seen }: Arrival): void {
    const link = new SocketLink(socket, this.#context.options.clock);
    new BinaryPeer(this.#context, link, { dialect: 'binary', preface: true }).connection.onBytes(seen);
  }

  refusal({ code, reason, retryAfterMs }: ConnectionRefusal): Uint8Array {
    return encodeFrame({ type: FrameType.Close, code, retryAfterMs, reason });
  }
}
