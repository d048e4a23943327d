/**
 * One connection of the storm: what it says, and what became of it in one word that can be counted.
 *
 * Every kind but the last two says enough to be owed an answer: a welcome, a documented close code, or an HTTP status.
 */
import { connect, type Socket } from 'node:net';
import { CloseCode, closeCodeInfo } from '@chat/protocol';
import { encodeFrame, encodePreface, FrameDecoder, FrameType } from '@chat/protocol/frames';

/** What strangers do. */
export const KINDS = [
  'line',
  'binary',
  'torn',
  'http',
  'websocket',
  'garbage',
  'four-gigabytes',
  'silent',
  'reset',
] as const;
export type Kind = (typeof KINDS)[number];

/** Outcomes beside the names of close codes and HTTP statuses. */
export const Outcome = {
  CameAndWent: 'came and went',
  Torn: 'welcomed, then torn',
  LeftByItself: 'said nothing and left',
  /** It spoke, and was owed an answer. */
  WithoutWord: 'closed without a word',
  NoAnswer: 'no answer',
} as const;

/** The server, and the loopback address to come from. */
export interface Route {
  readonly port: number;
  readonly localAddress: string;
}

const ANSWER_TIMEOUT_MS = 30_000;
const BINARY: ReadonlySet<Kind> = new Set(['binary', 'torn', 'four-gigabytes']);
const GOODBYE = encodeFrame({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
const NOTHING = new Uint8Array(0);
const GARBAGE = Uint8Array.from({ length: 64 }, (_, i) => (i === 63 ? 0x0a : 0x80 + ((i * 37) % 0x40)));
const FOUR_GIGABYTES = Uint8Array.of(0xff, 0xff, 0xff, 0xff, FrameType.Hello, 0, 0, 0);

function hello(name: string): Uint8Array {
  const frame = encodeFrame({ type: FrameType.Hello, hello: { name, maxFrameBytes: 65_536 } });
  return Buffer.concat([encodePreface(), frame]);
}

function firstWords(kind: Kind, name: string): Uint8Array | string {
  switch (kind) {
    case 'line':
      return `${name}\n/quit\n`;
    case 'binary':
    case 'torn':
      return hello(name);
    case 'http':
      return 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    case 'websocket':
      return [
        'GET /ws HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      ].join('\r\n');
    case 'garbage':
      return GARBAGE;
    case 'four-gigabytes':
      return Buffer.concat([encodePreface(), FOUR_GIGABYTES]);
    case 'silent':
    case 'reset':
      return NOTHING;
  }
}

/** The name of the close code in a line for people: `*** too many connections (too-many-connections)`. */
function closeNameIn(text: string): string | undefined {
  return /\*\*\* [^\n]*\(([a-z0-9-]+)\)\r?\n$/.exec(text)?.[1];
}

/** A connection under way. */
export class Attempt {
  readonly #kind: Kind;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #settle!: (outcome: string) => void;
  /** Never rejects: what went wrong is an outcome too. */
  readonly outcome: Promise<string> = new Promise((resolve) => {
    this.#settle = resolve;
  });

  constructor(kind: Kind, route: Route, name: string) {
    this.#kind = kind;
    this.#timer = setTimeout(() => this.#leaveWith(Outcome.NoAnswer), ANSWER_TIMEOUT_MS);
    this.#socket = connect({ ...route, host: '127.0.0.1', allowHalfOpen: true }, () => {
      if (kind === 'reset') this.#leaveWith(Outcome.LeftByItself);
      else if (kind !== 'silent') this.#socket.write(firstWords(kind, name));
    });
    this.#socket
      .on('data', (chunk) => (BINARY.has(kind) ? this.#takeFrame(chunk) : this.#takeText(chunk)))
      .on('end', () => {
        this.#socket.end();
        this.#settle(
          closeNameIn(this.#text) ?? (kind === 'line' ? Outcome.CameAndWent : Outcome.WithoutWord),
        );
      })
      .on('error', ({ code }: NodeJS.ErrnoException) => {
        this.#settle(code === 'ECONNRESET' || code === 'EPIPE' ? Outcome.WithoutWord : `error ${code}`);
      })
      .on('close', () => {
        clearTimeout(this.#timer);
        this.#settle(Outcome.WithoutWord);
      });
  }

  /** Who came to say nothing leaves when it is told to; all others leave when they have their answer. */
  leave(): void {
    if (this.#kind === 'silent') this.#leaveWith(Outcome.LeftByItself);
  }

  #takeFrame(chunk: Buffer): void {
    // Who was not read in time is told so before it is known what it speaks: in a line.
    this.#text += chunk.toString('latin1');
    if (this.#text.startsWith('***')) return;
    this.#decoder.push(chunk);
    if (!this.#decoder.next()) return;
    const frame = this.#decoder.frame();
    if (frame.type === FrameType.Close) {
      this.#settle(closeCodeInfo(frame.code).name);
    } else if (this.#kind === 'torn') {
      this.#leaveWith(Outcome.Torn);
    } else {
      this.#settle(Outcome.CameAndWent);
      this.#socket.end(GOODBYE);
    }
  }

  #takeText(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    const status = /^HTTP\/1\.1 (\d+)/.exec(this.#text)?.[1];
    if (status === '101') this.#leaveWith('HTTP 101');
    else if (status !== undefined) this.#settle(`HTTP ${status}`);
  }

  #leaveWith(outcome: string): void {
    this.#settle(outcome);
    this.#socket.resetAndDestroy();
  }
}
