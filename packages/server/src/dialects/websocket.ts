/**
 * WebSocket as a link: messages that hold whole frames of the binary dialect.
 *
 * The protocol itself is the `ws` library's. Outgoing entries are framed once for all members at the same
 * cursor and written to the socket directly, so a browser costs what any other subscriber costs.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { SocketWriter } from '../link.js';

/** The subprotocol that a client may ask for. */
export const SUBPROTOCOL = 'chat.v1';

const UNSUPPORTED_DATA = 1003;

interface Framed {
  readonly payload: Uint8Array;
  readonly message: Buffer;
}

/** The slice that was framed last. Members at the same cursor are written to one after the other. */
export class MessageFramer {
  #last: Framed | undefined;

  /** `payload` as one unmasked, uncompressed binary message. */
  frame(payload: Uint8Array): Buffer {
    if (this.#last?.payload !== payload) {
      const parts = Sender.frame(payload as Buffer, {
        fin: true,
        rsv1: false,
        opcode: 2,
        mask: false,
        readOnly: true,
      });
      this.#last = { payload, message: Buffer.concat(parts) };
    }
    return this.#last.message;
  }
}

export class WebSocketLink extends SocketWriter {
  readonly #websocket: WebSocket;
  readonly #framer: MessageFramer;

  constructor(websocket: WebSocket, socket: Socket, framer: MessageFramer) {
    super(socket);
    this.#websocket = websocket;
    this.#framer = framer;
    websocket.binaryType = 'nodebuffer';
    websocket.on('error', () => {});
    websocket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.handler?.onBytes(data);
      else websocket.close(UNSUPPORTED_DATA, 'binary messages only');
    });
    websocket.on('close', () => this.handler?.onEnd());
  }

  override write(payload: Uint8Array): void {
    if (this.#websocket.readyState === WebSocket.OPEN) super.write(this.#framer.frame(payload));
  }

  override pause(): void {
    this.#websocket.pause();
  }

  override resume(): void {
    this.#websocket.resume();
  }

  override end(): void {
    this.#websocket.resume();
    this.#websocket.close();
  }

  override destroy(): void {
    this.#websocket.terminate();
  }
}

/** The part of `ws` that its type declarations leave out. */
interface SenderClass {
  frame(
    data: Buffer,
    options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean },
  ): Buffer[];
}

const Sender: SenderClass = (WebSocket as unknown as { readonly Sender: SenderClass }).Sender;
