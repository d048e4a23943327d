/**
 * A client that speaks the binary dialect frame by frame and remembers all it received. It does nothing by
 * itself but answer pings, so that a test decides what a client does wrong.
 */
import {
  type Entry,
  encodeFrame,
  encodePreface,
  type Frame,
  FrameDecoder,
  FrameType,
  type Hello,
  type Joined,
  MAX_MAX_FRAME_BYTES,
  PREFACE_BYTES,
  type RequestBody,
  type Welcome,
} from '@chat/protocol/frames';

/** Preface and hello. */
export function helloBytes(hello: Partial<Hello> & { readonly name: string }): Uint8Array {
  const frame = encodeFrame({ type: FrameType.Hello, hello: { maxFrameBytes: 65_536, ...hello } });
  return Buffer.concat([encodePreface(), frame]);
}

/** The carrier below a client. */
export interface Pipe {
  write(bytes: Uint8Array): void;
  /** Sends nothing more. */
  end(): void;
  /** Breaks off. */
  destroy(): void;
  /** Stops and restarts reading. */
  pause(): void;
  resume(): void;
  onBytes: (chunk: Uint8Array) => void;
  onClose: () => void;
}

type OfType<Type extends FrameType> = Extract<Frame, { readonly type: Type }>;
type Close = OfType<typeof FrameType.Close>;

interface Waiter {
  readonly matches: (frame: Frame) => boolean;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

export interface WireClientOptions {
  /** Whether pings are answered. @defaultValue true */
  readonly pong?: boolean;
}

export class WireClient {
  readonly pipe: Pipe;
  /** Every frame in the order of arrival. Bodies are copies. */
  readonly frames: Frame[] = [];
  /** Settles when the connection is gone: with the close frame, if there was one. */
  readonly closed: Promise<Close | undefined>;
  welcome: Welcome | undefined;
  readonly #decoder = new FrameDecoder({ maxFrameBytes: MAX_MAX_FRAME_BYTES });
  /** Frames that were not taken yet, by type. */
  readonly #unread = new Map<number, Frame[]>();
  readonly #waiters: Waiter[] = [];
  #gone = false;
  #requests = 0;
  publishId = 0;

  constructor(pipe: Pipe, { pong = true }: WireClientOptions = {}) {
    this.pipe = pipe;
    this.closed = new Promise((resolve) => {
      pipe.onClose = () => {
        this.#gone = true;
        const names = this.frames.map(({ type }) => type.toString(16)).slice(-20);
        for (const { reject } of this.#waiters.splice(0)) reject(new Error(`closed after frames ${names}`));
        resolve(this.frames.find((frame): frame is Close => frame.type === FrameType.Close));
      };
    });
    pipe.onBytes = (chunk) => {
      this.#decoder.push(chunk);
      while (this.#decoder.next()) {
        const frame = copied(this.#decoder.frame());
        if (pong && frame.type === FrameType.Ping) this.send({ type: FrameType.Pong, nonce: frame.nonce });
        this.#arrived(frame);
      }
    };
  }

  /** Whether the connection is gone. */
  get gone(): boolean {
    return this.#gone;
  }

  send(...frames: readonly Frame[]): void {
    this.pipe.write(Buffer.concat(frames.map((frame) => encodeFrame(frame))));
  }

  /** Sends preface and hello. */
  greet(hello: Partial<Hello> & { readonly name: string }, preface = true): void {
    const bytes = helloBytes(hello);
    this.pipe.write(preface ? bytes : bytes.subarray(PREFACE_BYTES));
  }

  /** The next frame of this type that was not taken yet; waits for it. */
  take<Type extends FrameType>(
    type: Type,
    matches: (frame: OfType<Type>) => boolean = () => true,
  ): Promise<OfType<Type>> {
    const fits = (frame: Frame): boolean => frame.type === type && matches(frame as OfType<Type>);
    const unread = this.#unread.get(type) ?? [];
    const index = unread.findIndex(fits);
    if (index !== -1) return Promise.resolve(unread.splice(index, 1)[0] as OfType<Type>);
    if (this.#gone) return Promise.reject(new Error('closed'));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ matches: fits, resolve: resolve as (frame: Frame) => void, reject });
    });
  }

  /** Says hello and takes the welcome, and a word more: it knows its session, which is held when it is torn. */
  async enter(hello: Partial<Hello> & { readonly name: string }, preface = true): Promise<Welcome> {
    this.greet(hello, preface);
    const { welcome } = await this.take(FrameType.Welcome);
    this.welcome = welcome;
    this.publishId = welcome.lastPublishId;
    this.send({ type: FrameType.Pong, nonce: 1 });
    return welcome;
  }

  /** Sends a request and takes what answers it. */
  async request(
    request: RequestBody | Readonly<Record<string, unknown>>,
  ): Promise<OfType<typeof FrameType.Response> | OfType<typeof FrameType.Failed>> {
    const id = ++this.#requests;
    this.send({ type: FrameType.Request, id, request: request as RequestBody });
    return Promise.race([
      this.take(FrameType.Response, (frame) => frame.id === id),
      this.take(FrameType.Failed, (frame) => frame.id === id),
    ]);
  }

  /** The response to a request that must not fail. */
  async ask<T>(request: RequestBody): Promise<T> {
    const answer = await this.request(request);
    if (answer.type === FrameType.Failed) throw new Error(JSON.stringify(answer.failure));
    return answer.response as T;
  }

  join(room: string, more: { history?: number; after?: number; epoch?: string } = {}): Promise<Joined> {
    return this.ask<Joined>({ op: 'join', room, ...more });
  }

  /** A page of history: the entries, and whether nothing lies beyond. */
  async history(
    room: string,
    more: { before?: number; after?: number; limit?: number } = {},
  ): Promise<{ entries: Entry[]; end: boolean; frames: number }> {
    const id = ++this.#requests;
    this.send({ type: FrameType.Request, id, request: { op: 'history', room, ...more } });
    const entries: Entry[] = [];
    for (let frames = 1; ; frames++) {
      const frame = await this.take(FrameType.History, (candidate) => candidate.id === id);
      const decoder = new FrameDecoder({ maxFrameBytes: MAX_MAX_FRAME_BYTES });
      decoder.push(frame.entries);
      while (decoder.next()) entries.push(decoder.frame() as Entry);
      if (frame.last) return { entries, end: frame.end, frames };
    }
  }

  /** Publishes text; answers the number of the publish. */
  publish(handle: number, text: string | Uint8Array, codec = 1): number {
    const publishId = ++this.publishId;
    const body = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    this.send({ type: FrameType.Publish, room: handle, publishId, codec, body });
    return publishId;
  }

  /** Sends a direct message; answers the number of the publish. */
  whisper(to: string, text: string | Uint8Array): number {
    const publishId = ++this.publishId;
    const body = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    this.send({ type: FrameType.Direct, publishId, codec: 1, to, body });
    return publishId;
  }

  /** What answered a publish. */
  answerTo(publishId: number): Promise<OfType<typeof FrameType.Ack> | OfType<typeof FrameType.Nack>> {
    return Promise.race([
      this.take(FrameType.Ack, (frame) => frame.publishId === publishId),
      this.take(FrameType.Nack, (frame) => frame.publishId === publishId),
    ]);
  }

  /** What a connection says that is to go on with the session of this one. */
  resumption(inbox = 0): Pick<Hello, 'name' | 'resume'> {
    const { session, secret, epoch, member } = this.welcome!;
    return { name: member.name, resume: { session, secret, epoch, rooms: [], inbox } };
  }

  /** Publishes and takes the ack; answers the position. */
  async say(handle: number, text: string | Uint8Array): Promise<number> {
    const publishId = this.publish(handle, text);
    return (await this.take(FrameType.Ack, (frame) => frame.publishId === publishId)).seq;
  }

  /** Entries of one room that were received. */
  entries(handle: number): Entry[] {
    return this.frames.filter(
      (frame): frame is Entry =>
        (frame.type === FrameType.Message || frame.type === FrameType.Notice) && frame.room === handle,
    );
  }

  /** Texts of the messages of one room that were received. */
  texts(handle: number): string[] {
    return this.entries(handle)
      .filter(({ type }) => type === FrameType.Message)
      .map(({ body }) => new TextDecoder().decode(body));
  }

  #arrived(frame: Frame): void {
    this.frames.push(frame);
    const index = this.#waiters.findIndex(({ matches }) => matches(frame));
    if (index !== -1) {
      this.#waiters.splice(index, 1)[0]!.resolve(frame);
      return;
    }
    const unread = this.#unread.get(frame.type);
    if (unread) unread.push(frame);
    else this.#unread.set(frame.type, [frame]);
  }
}

function copied(frame: Frame): Frame {
  if ('body' in frame) return { ...frame, body: Uint8Array.from(frame.body) };
  return frame.type === FrameType.History ? { ...frame, entries: Uint8Array.from(frame.entries) } : frame;
}

/**
 * Checks that entries follow each other without a hole from `start` on, from `seq` and `prev` alone; answers the
 * position of the last. A gap frame moves the position.
 */
export function followChain(frames: readonly Frame[], handle: number, start: number): number {
  let position = start;
  for (const frame of frames) {
    if (frame.type === FrameType.Gap && frame.room === handle) {
      position = frame.to;
    } else if (
      (frame.type === FrameType.Message || frame.type === FrameType.Notice) &&
      frame.room === handle
    ) {
      if (frame.prev !== position)
        throw new Error(`after ${position} came ${frame.seq} with prev ${frame.prev}`);
      if (frame.seq <= position) throw new Error(`after ${position} came ${frame.seq}`);
      position = frame.seq;
    }
  }
  return position;
}
