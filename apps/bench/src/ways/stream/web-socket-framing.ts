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

/** Where the body of a message lies in the payload of its frame; without its size it is the whole payload. */
export interface BodyPlace {
  readonly payloadBytes?: number;
  readonly tailBytes?: number;
}

/** Counts data frames, one message each, and answers pings. */
export class WebSocketScanner extends FrameScanner {
  readonly #socket: ByteSink;
  readonly #isWhole: boolean;

  constructor(socket: ByteSink, { payloadBytes, tailBytes = 0 }: BodyPlace, listener?: PayloadListener) {
    super(payloadBytes ?? 0, tailBytes, listener);
    this.#socket = socket;
    this.#isWhole = payloadBytes === undefined;
  }

  /** Whether a data frame is a message, by the first byte of its payload; undefined when it is not there yet. */
  protected isMessage(_bytes: Uint8Array, _offset: number, _end: number): boolean | undefined {
    return true;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    const frame = readServerFrame(bytes, offset, end);
    if (!frame) return 0;
    const { opcode, headerBytes, payloadBytes } = frame;
    const payload = offset + headerBytes;
    const length = headerBytes + payloadBytes;
    if (opcode < OPCODE_CLOSE) {
      if (this.#isWhole) this.payloadBytes = payloadBytes;
      const counts = this.isMessage(bytes, payload, end);
      return counts === undefined ? 0 : counts ? length : -length;
    }
    if (end - offset < length) return 0;
    if (opcode === OPCODE_CLOSE) throw new Error('closed by the server');
    if (opcode === OPCODE_PING) {
      this.#socket.write(clientFrame(OPCODE_PONG, bytes.slice(payload, payload + payloadBytes)));
    }
    return -length;
  }
}

/** Takes the WebSocket off and passes what is inside to another scanner, whose messages count. */
export function unwrapping(socket: ByteSink, inner: Scanner): Scanner {
  let messages = 0;
  const outer = new WebSocketScanner(socket, {}, (bytes, start, end) => {
    messages += inner.scan(bytes, start, end);
  });
  return {
    scan(bytes, start, end) {
      messages = 0;
      outer.scan(bytes, start, end);
      return messages;
    },
  };
}
