/**
 * Our binary dialect, skimmed: eight bytes of header say how long a frame is and whether it is a message.
 * A check also follows `prev` from entry to entry, which proves that nothing between was left out.
 */
import { CodecTag } from '@chat/protocol';
import {
  decodeFrame,
  ENTRY_PREV_OFFSET,
  ENTRY_SEQ_OFFSET,
  encodeFrame,
  encodePreface,
  type Frame,
  FrameDecoder,
  FrameType,
  type Joined,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  readU32,
  readU48,
  type Welcome,
} from '@chat/protocol/frames';
import { type ByteSink, FrameScanner, type PayloadListener } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import { type PublishFrame, ROOM, type Wire } from '../way.js';

const HEADER_BYTES = 8;
const TYPE_OFFSET = 4;
const MAX_FRAME_BYTES = 1_048_576;

/** How frames go through a socket: as they are, or wrapped by a WebSocket. */
export interface FrameCarrier {
  /** What comes before the first frame. */
  greet(socket: SkimSocket): Promise<void>;
  send(socket: ByteSink, frame: Uint8Array): void;
  /** What of the bytes that came is frames, and how many bytes that took; undefined when there is too little. */
  unwrap(bytes: Uint8Array): { readonly frames: Uint8Array; readonly consumed: number } | undefined;
}

/** Frames as they are, after the preface. */
export const plainCarrier: FrameCarrier = {
  async greet(socket) {
    socket.write(encodePreface());
  },
  send: (socket, frame) => void socket.write(frame),
  unwrap(bytes) {
    const consumed = bytes.length < HEADER_BYTES ? HEADER_BYTES : readU32(bytes, 0);
    return bytes.length < consumed ? undefined : { frames: bytes.slice(0, consumed), consumed };
  },
};

/** The dialect over TCP or a Unix socket. */
export function chatWire(payloadBytes: number, carrier: FrameCarrier = plainCarrier): Wire {
  return {
    async subscribe(socket, index) {
      const conversation = new Conversation(socket, carrier);
      await conversation.greet(`s${index}`);
      await conversation.join();
    },
    async idle(socket, index) {
      await new Conversation(socket, carrier).greet(`i${index}`);
    },
    async enter(socket) {
      const conversation = new Conversation(socket, carrier);
      const { limits } = await conversation.greet('publisher');
      const { handle } = await conversation.join();
      return publishFrame(handle, payloadBytes, limits.maxInFlight);
    },
    scanner: (socket, check) => new ChatScanner(socket, carrier, payloadBytes, check),
  };
}

function publishFrame(handle: number, payloadBytes: number, maxInFlight: number): PublishFrame {
  const body = createPayload(payloadBytes);
  const bytes = encodeFrame({
    type: FrameType.Publish,
    room: handle,
    publishId: 0,
    codec: CodecTag.Text,
    body,
  });
  return {
    bytes,
    payloadOffset: PUBLISH_HEADER_BYTES,
    maxInFlight,
    stamp: (target, offset, number) => {
      const at = offset + PUBLISH_ID_OFFSET;
      target[at] = number;
      target[at + 1] = number >>> 8;
      target[at + 2] = number >>> 16;
      target[at + 3] = number >>> 24;
    },
  };
}

/** The handshake is rare enough to be read by its meaning. */
export class Conversation {
  readonly #socket: SkimSocket;
  readonly #carrier: FrameCarrier;
  readonly #decoder = new FrameDecoder();

  constructor(socket: SkimSocket, carrier: FrameCarrier) {
    this.#socket = socket;
    this.#carrier = carrier;
  }

  async greet(name: string): Promise<Welcome> {
    await this.#carrier.greet(this.#socket);
    const hello = { name, maxFrameBytes: MAX_FRAME_BYTES };
    this.#carrier.send(this.#socket, encodeFrame({ type: FrameType.Hello, hello }));
    return this.#receive((frame) => {
      if (frame.type === FrameType.Close) throw new Error(`refused: ${frame.reason}`);
      return frame.type === FrameType.Welcome ? frame.welcome : undefined;
    });
  }

  async join(room: string = ROOM): Promise<Joined> {
    const request = { op: 'join', room, history: 0 } as const;
    this.#carrier.send(this.#socket, encodeFrame({ type: FrameType.Request, id: 1, request }));
    return this.#receive((frame) => {
      if (frame.type === FrameType.Failed) throw new Error(`cannot join: ${frame.failure.message}`);
      return frame.type === FrameType.Response ? (frame.response as Joined) : undefined;
    });
  }

  async #receive<T>(find: (frame: Frame) => T | undefined): Promise<T> {
    for (;;) {
      while (this.#decoder.next()) {
        const found = find(this.#decoder.frame());
        if (found !== undefined) return found;
      }
      await this.#socket.read((bytes) => {
        const message = this.#carrier.unwrap(bytes);
        if (message) this.#decoder.push(message.frames);
        return message?.consumed;
      });
    }
  }
}

/** Counts message frames, answers pings. */
export class ChatScanner extends FrameScanner {
  readonly #socket: ByteSink;
  readonly #carrier: FrameCarrier;
  readonly #chain: PrevChain | undefined;

  constructor(socket: ByteSink, carrier: FrameCarrier, payloadBytes: number, check?: PayloadListener) {
    super(payloadBytes, 0, check);
    this.#socket = socket;
    this.#carrier = carrier;
    this.#chain = check && new PrevChain();
  }

  protected override onMessage(bytes: Uint8Array, offset: number, length: number): void {
    this.#chain?.follow(bytes, offset);
    super.onMessage(bytes, offset, length);
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (end - offset < HEADER_BYTES) return 0;
    const length = readU32(bytes, offset);
    const type = bytes[offset + TYPE_OFFSET];
    if (type === FrameType.Message) return length;
    return this.#other(bytes, offset, end, length);
  }

  #other(bytes: Uint8Array, offset: number, end: number, length: number): number {
    const type = bytes[offset + TYPE_OFFSET];
    if (length < HEADER_BYTES || length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
    if (type === FrameType.Ack) return -length;
    if (end - offset < length) return 0;
    if (type === FrameType.Notice) {
      this.#chain?.follow(bytes, offset);
    } else {
      this.#answer(decodeFrame(bytes.slice(offset, offset + length)));
    }
    return -length;
  }

  #answer(frame: Frame): void {
    if (frame.type === FrameType.Ping) {
      this.#carrier.send(this.#socket, encodeFrame({ type: FrameType.Pong, nonce: frame.nonce }));
    } else if (frame.type === FrameType.Gap) {
      throw new Error(`gap: entries from ${frame.from} to ${frame.to} will not come`);
    } else if (frame.type === FrameType.Close) {
      throw new Error(`closed by the server: ${frame.reason}`);
    } else if (frame.type === FrameType.Nack) {
      throw new Error(`refused: ${frame.failure.message}`);
    }
  }
}

/** Each entry names the one before it in its room. */
class PrevChain {
  #seq: number | undefined;

  follow(bytes: Uint8Array, offset: number): void {
    const prev = readU48(bytes, offset + ENTRY_PREV_OFFSET);
    if (this.#seq !== undefined && prev !== this.#seq) {
      throw new Error(`an entry follows ${prev}, but the last one here was ${this.#seq}`);
    }
    this.#seq = readU48(bytes, offset + ENTRY_SEQ_OFFSET);
  }
}
