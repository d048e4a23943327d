/**
 * WebSocket as a link: messages that hold whole frames of the binary dialect.
 *
 * The protocol itself is the `ws` library's. Outgoing entries are framed once for all members at the same
 * cursor and written to the socket directly, so a browser costs what any other subscriber costs.
 */
import type { Socket } from 'node:net';
import { CloseCode } from '@chat/protocol';
import { HEADER_BYTES, readU32 } from '@chat/protocol/frames';
import * as ws from 'ws';
import { WebSocket } from 'ws';
import type { SocketRequest } from '../../connection/client-request.js';
import { SocketWriter } from '../../connection/link.js';
import type { Slice } from '../../log/byte-log.js';
import { UnitMeter } from './websocket-units.js';

const BINARY = 2;
const PONG = 10;
/** A peer that was closed and sends on is not waited for: its close would never be read. */
const MAX_LINGER_BYTES = 262_144;
/** RFC 6455, 5.5: a control frame has 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/** The slice that was framed last. Members at the same cursor are written to one after the other. */
export class SliceFramer {
  #slice: Slice | undefined;
  #message: Buffer = Buffer.alloc(0);

  /** The slice as one unmasked, uncompressed binary message. */
  frame(slice: Slice): Buffer {
    if (slice !== this.#slice) {
      this.#slice = slice;
      this.#message = frame(BINARY, slice.bytes);
    }
    return this.#message;
  }
}

/** What a {@link WebSocketLink} needs beside its sockets. */
export interface WebSocketLinkOptions {
  readonly address: string;
  readonly request: SocketRequest;
  /** Shared by all links of a server. */
  readonly framer: SliceFramer;
  readonly maxMessageBytes: number;
}

export class WebSocketLink extends SocketWriter {
  readonly #websocket: WebSocket;
  readonly #framer: SliceFramer;
  readonly #maxMessageBytes: number;
  /** Bytes that came in since it was closed; undefined before. */
  #endedBytes: number | undefined;

  constructor(
    websocket: WebSocket,
    socket: Socket,
    { address, request, framer, maxMessageBytes }: WebSocketLinkOptions,
  ) {
    super(socket, address, request);
    this.#websocket = websocket;
    this.#framer = framer;
    this.#maxMessageBytes = maxMessageBytes;
    // Before the library takes the bytes apart: it does not tell of fragments, nor whether a message is empty.
    const meter = new UnitMeter();
    socket.prependListener('data', (chunk: Uint8Array) => {
      if (this.#isLingering(chunk.length)) return;
      meter.count(chunk);
      if (meter.units > 0) this.handler?.onUnits?.(meter.units, meter.trifles);
    });
    websocket.binaryType = 'nodebuffer';
    websocket.on('message', (data: Buffer, isBinary: boolean) => this.#take(data, isBinary));
    websocket.on('ping', (data: Buffer) => this.#pong(data));
    // The library has sent its own close by now; the chat learns why.
    websocket.on('error', (error: Error & { readonly code?: string }) => {
      this.handler?.onViolation(VIOLATIONS.get(error.code ?? '') ?? CloseCode.ProtocolError, error.message);
    });
    websocket.on('close', (code: number) => this.handler?.onEnd(isGoodbye(code)));
  }

  override write(payload: Uint8Array): void {
    if (this.#websocket.readyState !== WebSocket.OPEN) return;
    if (payload.length <= this.#maxMessageBytes) super.write(frame(BINARY, payload));
    else for (const part of wholeFrames(payload, this.#maxMessageBytes)) super.write(frame(BINARY, part));
  }

  writeSlice(slice: Slice): void {
    if (slice.bytes.length > this.#maxMessageBytes) this.write(slice.bytes);
    else if (this.#websocket.readyState === WebSocket.OPEN) super.write(this.#framer.frame(slice));
  }

  /** A message holds whole frames. */
  override writeParts(parts: readonly Uint8Array[]): void {
    this.write(Buffer.concat(parts));
  }

  override pause(): void {
    this.#websocket.pause();
  }

  override resume(): void {
    this.#websocket.resume();
  }

  override end(code?: number, reason = ''): void {
    this.#endedBytes ??= 0;
    this.#websocket.resume();
    this.#websocket.close(code, cut(reason));
  }

  override destroy(): void {
    this.#websocket.terminate();
  }

  /** Whether it was closed; one that sends on and on is torn. */
  #isLingering(bytes: number): boolean {
    if (this.#endedBytes === undefined) return false;
    this.#endedBytes += bytes;
    if (this.#endedBytes > MAX_LINGER_BYTES) this.#websocket.terminate();
    return true;
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.handler?.onViolation(CloseCode.ProtocolError, 'messages must be binary');
      return;
    }
    this.handler?.onBytes(data);
    if (!endsWithFrame(data)) {
      this.handler?.onViolation(CloseCode.MalformedFrame, 'a message ends inside a frame');
    }
  }

  /** A peer that pings and does not read gets one answer at a time. */
  #pong(data: Buffer): void {
    if (this.unsentBytes === 0 && this.#websocket.readyState === WebSocket.OPEN) {
      super.write(frame(PONG, data));
    }
  }
}

/**
 * RFC 6455, 7.4.1: the page was left, or its program closed. Without a code (1005), or without a close at all (1006), the
 * connection was torn.
 */
function isGoodbye(code: number): boolean {
  return code === CloseCode.Normal || code === CloseCode.GoingAway;
}

const VIOLATIONS: ReadonlyMap<string, CloseCode> = new Map([
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', CloseCode.FrameTooLarge],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', CloseCode.FrameTooLarge],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', CloseCode.FrameTooLarge],
  ['WS_ERR_INVALID_UTF8', CloseCode.InvalidUtf8],
]);

/** protocol.md, "WebSocket and HTTP": a message holds whole frames. An impossible length is the decoder's. */
function endsWithFrame(message: Buffer): boolean {
  let offset = 0;
  while (offset < message.length) {
    if (message.length - offset < HEADER_BYTES) return false;
    const length = readU32(message, offset);
    if (length < HEADER_BYTES) return true;
    offset += length;
  }
  return offset === message.length;
}

/** Cuts a run of whole frames into runs of at most `maxBytes`, or of one frame where that is larger. */
function* wholeFrames(run: Uint8Array, maxBytes: number): Generator<Uint8Array> {
  let start = 0;
  let end = 0;
  while (end < run.length) {
    const length = readU32(run, end);
    if (end > start && end + length - start > maxBytes) {
      yield run.subarray(start, end);
      start = end;
    }
    end += length;
  }
  yield run.subarray(start, end);
}

/** As much of `reason` as fits, without half a character at its end. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES), { stream: true });
}

/** The part of `ws` that its type declarations leave out. */
interface SenderClass {
  frame(
    data: Buffer,
    options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean },
  ): Buffer[];
}

/** One unmasked, uncompressed message. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const options = { fin: true, rsv1: false, opcode, mask: false, readOnly: true };
  return Buffer.concat(Sender.frame(payload as Buffer, options));
}

// Of the module: as a property of WebSocket it exists in the CommonJS entry only.
const Sender: SenderClass = (ws as unknown as { readonly Sender: SenderClass }).Sender;
