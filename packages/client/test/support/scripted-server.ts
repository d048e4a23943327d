/**
 * A server in memory that does what the test says, frame by frame: the other end of each connection that a
 * client opens, its decoded frames, and shorthands for the answers that most tests need.
 */
import { CloseCode, type Failure, textCodec } from '@chat/protocol';
import {
  decodePreface,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  type Hello,
  type Joined,
  NoticeKind,
  PREFACE_BYTES,
  type SessionLimits,
  type Welcome,
} from '@chat/protocol/frames';
import type { OpenTransport, TransportSink } from '../../src/index.js';
import { turns } from './fake-clock.js';

export type FrameOf<Type extends Frame['type']> = Extract<Frame, { readonly type: Type }>;

export const EPOCH = 'e1';
export const INBOX = 900;

export const LIMITS: SessionLimits = {
  maxFrameBytes: 65_536,
  maxMessageBytes: 1000,
  maxInFlight: 4,
  maxRoomsPerSession: 10,
  idleTimeoutMs: 60_000,
  resumeWindowMs: 30_000,
};

/** A welcome, with whatever the test wants differently. */
export function welcome(hello: Hello, changes: Partial<Welcome> = {}): Welcome {
  return {
    version: 1,
    session: 's1',
    secret: 'secret',
    epoch: EPOCH,
    member: { id: 1, name: hello.name },
    inbox: { handle: INBOX, start: 0 },
    limits: LIMITS,
    resumed: false,
    lastPublishId: 0,
    rooms: [],
    ...changes,
  };
}

/** The answer to a join of `room`, which is empty but for this client. */
export function joined(room: string, changes: Partial<Joined> = {}): Joined {
  return {
    room,
    handle: 7,
    start: 0,
    head: 0,
    members: [{ id: 1, name: 'ada' }],
    memberCount: 1,
    ...changes,
  };
}

type EntryChanges = Partial<Omit<FrameOf<typeof FrameType.Message>, 'type'>>;

/** A text message in room 7. */
export function message(
  seq: number,
  prev: number,
  text: string,
  changes: EntryChanges = {},
): FrameOf<typeof FrameType.Message> {
  return {
    type: FrameType.Message,
    room: 7,
    sender: 2,
    name: 'bob',
    seq,
    prev,
    at: 1000 + seq,
    codec: textCodec.tag,
    body: textCodec.encode(text),
    ...changes,
  };
}

/** A notice about bob in room 7. */
export function notice(
  seq: number,
  prev: number,
  kind: NoticeKind = NoticeKind.Joined,
  changes: EntryChanges = {},
): FrameOf<typeof FrameType.Notice> {
  const { codec: _none, ...fields } = message(seq, prev, '', changes);
  return { ...fields, type: FrameType.Notice, kind };
}

/** The server's end of one connection. */
export class ServerEnd {
  readonly frames: Frame[] = [];
  readonly #sink: TransportSink;
  readonly #decoder = new FrameDecoder();
  #preface: Uint8Array | undefined = new Uint8Array(0);
  /** How the client ended the connection. */
  ended: 'end' | 'destroy' | undefined;
  /** Sizes of the writes of the client. */
  readonly writes: number[] = [];
  readonly url: string;

  constructor(url: string, sink: TransportSink, framed: boolean) {
    this.url = url;
    this.#sink = sink;
    if (framed) this.#preface = undefined;
  }

  receive(bytes: Uint8Array): void {
    this.writes.push(bytes.length);
    let rest = bytes;
    if (this.#preface) {
      if (decodePreface(bytes) !== 1) throw new Error('no preface of version 1');
      rest = bytes.subarray(PREFACE_BYTES);
      this.#preface = undefined;
    }
    this.#decoder.push(rest);
    while (this.#decoder.next()) this.frames.push(this.#decoder.frame());
  }

  /** Frames of one type, in order. */
  all<Type extends Frame['type']>(type: Type): FrameOf<Type>[] {
    return this.frames.filter((frame): frame is FrameOf<Type> => frame.type === type);
  }

  /** The last frame of a type, which must be there. */
  last<Type extends Frame['type']>(type: Type): FrameOf<Type> {
    const frame = this.all(type).at(-1);
    if (!frame) throw new Error(`the client sent no frame of type 0x${type.toString(16)}`);
    return frame;
  }

  /** Texts of the publishes. */
  get texts(): string[] {
    return this.all(FrameType.Publish).map(({ body }) => textCodec.decode(body));
  }

  /** Sends frames in one chunk, and lets the client see to them. */
  async send(...frames: Frame[]): Promise<void> {
    await this.sendBytes(...frames.map(encodeFrame));
  }

  /** @returns the chunk that the client got */
  async sendBytes(...parts: Uint8Array[]): Promise<Uint8Array> {
    const chunk = Uint8Array.from(parts.flatMap((part) => [...part]));
    this.#sink.data(chunk);
    await turns();
    return chunk;
  }

  /** Answers the hello. */
  async welcome(changes: Partial<Welcome> = {}): Promise<void> {
    await this.send({
      type: FrameType.Welcome,
      welcome: welcome(this.last(FrameType.Hello).hello, changes),
    });
  }

  /** Answers the last request. */
  async respond(response: unknown, ...more: Frame[]): Promise<void> {
    await this.send({ type: FrameType.Response, id: this.last(FrameType.Request).id, response }, ...more);
  }

  /** Refuses the last request. */
  async refuse(failure: Failure): Promise<void> {
    await this.send({ type: FrameType.Failed, id: this.last(FrameType.Request).id, failure });
  }

  async ack(publishId: number, seq: number): Promise<void> {
    await this.send({ type: FrameType.Ack, publishId, seq, at: 1000 + seq });
  }

  /** Ends the connection with a close frame. */
  async close(code: CloseCode = CloseCode.Normal, retryAfterMs = 0, reason = 'because'): Promise<void> {
    await this.send({ type: FrameType.Close, code, retryAfterMs, reason });
  }

  /** Ends the connection as a pulled plug does. */
  async cut(error?: Error): Promise<void> {
    this.#sink.closed(error);
    await turns();
  }

  /** Tells the client that its goodbye was seen. */
  confirmEnd(): void {
    this.#sink.closed();
  }
}

/** Where the connections of a client end up. */
export class ScriptedServer {
  readonly ends: ServerEnd[] = [];
  /** Refuses to be connected to. */
  refusal: Error | undefined;
  /** Never answers. */
  silent = false;
  /** Welcomes every connection at once. */
  hospitable = false;
  framed = false;
  /** What the transports say of themselves. */
  bufferedBytes = 0;

  readonly transport: OpenTransport = async (url, sink, { signal }) => {
    signal.throwIfAborted();
    if (this.refusal) throw this.refusal;
    if (this.silent) {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
    const end = new ServerEnd(url, sink, this.framed);
    this.ends.push(end);
    const bufferedBytes = () => this.bufferedBytes;
    return {
      framed: this.framed,
      get bufferedBytes() {
        return bufferedBytes();
      },
      write: (bytes) => {
        end.receive(bytes);
        if (this.hospitable && end.frames.length === 1) queueMicrotask(() => void end.welcome());
      },
      end: () => {
        end.ended ??= 'end';
        queueMicrotask(() => end.confirmEnd());
      },
      destroy: () => {
        end.ended ??= 'destroy';
        queueMicrotask(() => end.confirmEnd());
      },
    };
  };

  /** The newest connection. */
  get end(): ServerEnd {
    const end = this.ends.at(-1);
    if (!end) throw new Error('nobody connected');
    return end;
  }
}
