/**
 * As much of RFC 6455 as a load needs: the upgrade, masked frames out, unmasked frames in.
 *
 * Masks are all zeros, which is a legal mask and costs the load nothing; the server has to unmask all the
 * same.
 */
import { type ByteSink, FrameScanner, type PayloadListener, type Scanner } from './frame-scanner.js';
import type { SkimSocket } from './skim-socket.js';

export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;
const FINAL = 0x80;
const MASKED = 0x80;

/** Asks for the upgrade and waits until it is granted. */
export async function upgrade(socket: SkimSocket, path: string, protocol?: string): Promise<void> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version: 13',
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await socket.read((bytes) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    if (!text.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${text.slice(0, text.indexOf('\r'))}`);
    return end + 4;
  });
}

/** A client's frame, whole. */
export function clientFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const headerBytes = clientHeaderBytes(payload.length);
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = FINAL | opcode;
  if (payload.length < 126) {
    bytes[1] = MASKED | payload.length;
  } else if (payload.length < 65_536) {
    bytes[1] = MASKED | 126;
    view.setUint16(2, payload.length);
  } else {
    bytes[1] = MASKED | 127;
    view.setBigUint64(2, BigInt(payload.length));
  }
  bytes.set(payload, headerBytes);
  return bytes;
}

/** Where the payload of {@link clientFrame} begins. */
export function clientHeaderBytes(payloadBytes: number): number {
  return (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10) + 4;
}

/** Header and payload of the frame at `offset`, or undefined when its header is cut. */
export function readServerFrame(
  bytes: Uint8Array,
  offset: number,
  end: number,
): { opcode: number; headerBytes: number; payloadBytes: number } | undefined {
  if (end - offset < 2) return undefined;
  const opcode = bytes[offset]! & 15;
  const short = bytes[offset + 1]! & 127;
  if (short < 126) return { opcode, headerBytes: 2, payloadBytes: short };
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, end - offset);
  if (short === 126) {
    return end - offset < 4 ? undefined : { opcode, headerBytes: 4, payloadBytes: view.getUint16(2) };
  }
  return end - offset < 10
    ? undefined
    : { opcode, headerBytes: 10, payloadBytes: Number(view.getBigUint64(2)) };
}

/** Counts data frames, one message each; `isMessage` may look at the first bytes of a payload. */
export class WebSocketScanner extends FrameScanner {
  readonly #socket: ByteSink;
  readonly #lookBytes: number;
  readonly #isMessage: (bytes: Uint8Array, offset: number, payloadBytes: number) => boolean;

  constructor(
    socket: ByteSink,
    body: { readonly payloadBytes: number; readonly tailBytes: number },
    check: PayloadListener | undefined,
    lookBytes = 0,
    isMessage: (bytes: Uint8Array, offset: number, payloadBytes: number) => boolean = () => true,
  ) {
    super(body.payloadBytes, body.tailBytes, check);
    this.#socket = socket;
    this.#lookBytes = lookBytes;
    this.#isMessage = isMessage;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    const frame = readServerFrame(bytes, offset, end);
    if (!frame) return 0;
    const { opcode, headerBytes, payloadBytes } = frame;
    if (opcode < OPCODE_CLOSE) {
      if (end - offset < headerBytes + Math.min(this.#lookBytes, payloadBytes)) return 0;
      const counts = this.#isMessage(bytes, offset + headerBytes, payloadBytes);
      return counts ? headerBytes + payloadBytes : -(headerBytes + payloadBytes);
    }
    if (end - offset < headerBytes + payloadBytes) return 0;
    answerControl(
      this.#socket,
      opcode,
      bytes.slice(offset + headerBytes, offset + headerBytes + payloadBytes),
    );
    return -(headerBytes + payloadBytes);
  }
}

/** Takes the WebSocket off and passes what is inside to another scanner, in slices as they come. */
export class WebSocketUnwrapper implements Scanner {
  readonly #inner: Scanner;
  readonly #socket: ByteSink;
  #payloadBytes = 0;
  #held: Uint8Array = new Uint8Array(0);

  constructor(socket: ByteSink, inner: Scanner) {
    this.#socket = socket;
    this.#inner = inner;
  }

  scan(chunk: Uint8Array, start: number, end: number): number {
    let bytes = chunk;
    let offset = start;
    let limit = end;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + end - start);
      bytes.set(this.#held);
      bytes.set(chunk.subarray(start, end), this.#held.length);
      offset = 0;
      limit = bytes.length;
      this.#held = new Uint8Array(0);
    }
    let messages = 0;
    while (offset < limit) {
      if (this.#payloadBytes > 0) {
        const there = Math.min(this.#payloadBytes, limit - offset);
        messages += this.#inner.scan(bytes, offset, offset + there);
        this.#payloadBytes -= there;
        offset += there;
        continue;
      }
      const frame = readServerFrame(bytes, offset, limit);
      const whole = frame && frame.headerBytes + frame.payloadBytes <= limit - offset;
      if (!frame || (frame.opcode >= OPCODE_CLOSE && !whole)) {
        this.#held = bytes.slice(offset, limit);
        break;
      }
      offset += frame.headerBytes;
      if (frame.opcode < OPCODE_CLOSE) {
        this.#payloadBytes = frame.payloadBytes;
      } else {
        answerControl(this.#socket, frame.opcode, bytes.slice(offset, offset + frame.payloadBytes));
        offset += frame.payloadBytes;
      }
    }
    return messages;
  }
}

function answerControl(socket: ByteSink, opcode: number, payload: Uint8Array): void {
  if (opcode === OPCODE_PING) socket.write(clientFrame(OPCODE_PONG, payload));
  if (opcode === OPCODE_CLOSE) throw new Error('closed by the server');
}
