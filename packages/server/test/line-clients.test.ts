/**
 * Programs as people have them, played byte by byte over real sockets: window clients in C++ and what tutorials
 * teach, in a room with a browser, a terminal and `nc`.
 */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineCharset } from '../src/options/line-charset.js';
import type { ChatServerOptions } from '../src/options/options.js';
import { type ChatServer, createChatServer } from '../src/server/chat-server.js';
import { ManualClock } from './support/manual-clock.js';
import { tcpPipe, webSocketPipe } from './support/socket-pipe.js';
import { turn, until } from './support/turn.js';
import { WireClient } from './support/wire-client.js';

/** A program of lines: its bytes go out as they are, and what it received is there undecoded. */
class Program {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
  }

  write(...parts: readonly (string | readonly number[])[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  }

  /** Waits until the program was shown this text in this charset. */
  async shows(text: string, charset = 'utf-8'): Promise<void> {
    const decoder = new LineCharset(charset);
    await until(() => decoder.decode(this.#received).includes(text));
  }

  received(charset: BufferEncoding = 'utf-8'): string {
    return this.#received.toString(charset);
  }
}

let clock: ManualClock;
let server: ChatServer;
let port: number;
let nc: Program;
let browser: WireClient;
let terminal: WireClient;
let room: number;

async function open(options: ChatServerOptions = {}): Promise<void> {
  clock = new ManualClock();
  server = createChatServer({ clock, ...options });
  ({ port } = await server.listen({ port: 0, host: '127.0.0.1' }));
  browser = new WireClient(webSocketPipe(`ws://127.0.0.1:${port}/ws`));
  await browser.enter({ name: 'browser' }, false);
  ({ handle: room } = await browser.join('lobby'));
  terminal = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
  await terminal.enter({ name: 'terminal' });
  await terminal.join('lobby');
  nc = new Program(port);
  nc.write('nc\n');
  await isIn('nc');
}

beforeEach(() => open());

afterEach(async () => {
  nc.socket.destroy();
  await server.close();
});

async function isIn(name: string): Promise<void> {
  await until(() => server.sessions().some((member) => member.name === name && member.rooms.length > 0));
}

/** Waits until everybody else was shown the message. */
async function allSee(name: string, text: string): Promise<void> {
  await nc.shows(`${name}: ${text}\n`);
  for (const client of [browser, terminal]) await until(() => client.texts(room).includes(text));
}

describe('a window client that ends lines with LF and writes the code page of its Windows', () => {
  it.each([
    [
      'cp1255',
      'windows-1255',
      'דנה',
      'שלום לכם',
      [0xe3, 0xf0, 0xe4],
      [0xf9, 0xec, 0xe5, 0xed, 0x20, 0xec, 0xeb, 0xed],
    ],
    ['cp1256', 'windows-1256', 'مريم', 'سلام', [0xe3, 0xd1, 0xed, 0xe3], [0xd3, 0xe1, 0xc7, 0xe3]],
    [
      'cp1252',
      'windows-1252',
      'René',
      'café – 5 €',
      [0x52, 0x65, 0x6e, 0xe9],
      [0x63, 0x61, 0x66, 0xe9, 0x20, 0x96, 0x20, 0x35, 0x20, 0x80],
    ],
    ['cp1251', 'windows-1251', 'Яна', 'меняют', [0xdf, 0xed, 0xe0], [0xec, 0xe5, 0xed, 0xff, 0xfe, 0xf2]],
  ])('is read and answered in %s', async (label, charset, name, text, nameBytes, textBytes) => {
    await server.close();
    await open({ lineCharset: label });
    const window = new Program(port);
    window.write('USERNAME:', nameBytes, '\n');
    await isIn(name);
    window.write(textBytes, '\n');
    await allSee(name, text);
    await browser.say(room, `${text} 👍`);
    await window.shows(`browser: ${text} ?\n`, charset);
    nc.write(`${text} from nc\n`);
    await window.shows(`nc: ${text} from nc\n`, charset);
    window.write('/quit\n');
    await nc.shows(`*** ${name} has left the chat\n`);
    window.socket.destroy();
  });

  it('is let in without a charset, and what it writes beyond ASCII is shown with U+FFFD', async () => {
    const window = new Program(port);
    window.write('USERNAME:dana\n');
    await isIn('dana');
    window.write([0xf9, 0xec, 0xe5, 0xed], ' ok\n');
    await allSee('dana', '\uFFFD\uFFFD\uFFFD\uFFFD ok');
    window.write('שלום\n');
    await allSee('dana', 'שלום');
    await browser.say(room, 'שלום לך');
    await window.shows('browser: שלום לך\n');
    window.socket.destroy();
  });
});

describe('a window client that ends what it sends with NUL', () => {
  it('chats in UTF-8, and leaves by closing', async () => {
    const window = new Program(port);
    window.write('USERNAME:דנה\0');
    await isIn('דנה');
    for (const text of ['שלום', 'hi 🎈']) {
      window.write(`${text}\0`);
      await allSee('דנה', text);
    }
    await terminal.say(room, 'ברוכה הבאה');
    await window.shows('terminal: ברוכה הבאה\n');
    window.socket.end();
    await nc.shows('*** דנה has left the chat\n');
  });

  it('may send whole buffers, filled up with NULs', async () => {
    const window = new Program(port);
    window.write(`ada${'\0'.repeat(1021)}`);
    await isIn('ada');
    window.write(`hello${'\0'.repeat(1019)}`);
    await allSee('ada', 'hello');
    expect(window.received()).toBe('');
    window.socket.destroy();
  });
});

describe('a program that ends nothing', () => {
  it('has its name and each message taken once it is silent', async () => {
    const program = new Program(port);
    await sendUnended(program, 'ada');
    await sendUnended(program, 'hello');
    await allSee('ada', 'hello');
    // One letter is a message as well, once it is known how its lines end.
    await sendUnended(program, 'k');
    await allSee('ada', 'k');
    await sendUnended(program, 'ended\nunended');
    await allSee('ada', 'ended');
    await allSee('ada', 'unended');
    await browser.say(room, 'hi ada');
    await program.shows('browser: hi ada\n');
    program.socket.end('bye');
    await nc.shows('ada: bye\n*** ada has left the chat\n');
  });

  it('is asked for another name, and may send it in the same way', async () => {
    const program = new Program(port);
    await sendUnended(program, 'USERNAME:nc');
    await program.shows('is taken; send another name (name-taken)\n');
    await sendUnended(program, 'ada');
    await isIn('ada');
    program.socket.destroy();
  });

  it('is not what a terminal is that sends each key by itself, however slowly', async () => {
    const keys = new Program(port);
    for (const key of ['a', 'd', 'é', 'ש']) {
      await send(keys, key);
      clock.advance(2000);
      await turn();
    }
    expect(server.stats().sessions).toBe(3);
    keys.write('\r');
    await isIn('adéש');
    await send(keys, 'o');
    clock.advance(10_000);
    await turn();
    keys.write('k\r\0');
    await allSee('adéש', 'ok');
    keys.socket.destroy();
  });
});

describe('telnet', () => {
  it('negotiates to no avail, ends lines with CR NUL, and goes on after Ctrl-C', async () => {
    const telnet = new Program(port);
    telnet.write([0xff, 0xfb, 0x1f, 0xff, 0xfb, 0x20, 0xff, 0xfd, 0x01], 'ada\r\0');
    await isIn('ada');
    telnet.write('hi\r\0', [0xff, 0xf4, 0xff, 0xfd, 0x06], 'there\r\n');
    await allSee('ada', 'hi');
    await allSee('ada', 'there');
    await browser.say(room, 'hello');
    await until(() => telnet.received('latin1').endsWith('browser: hello\n'));
    // WILL TIMING-MARK, and nothing else that is not text.
    expect(telnet.received('latin1')).toBe('\xff\xfb\x06browser: hello\n');
    telnet.socket.destroy();
  });
});

/** Writes, and waits until the server has read it. */
async function send(program: Program, text: string): Promise<void> {
  const before = server.stats().bytesIn;
  program.write(text);
  await until(() => server.stats().bytesIn >= before + Buffer.byteLength(text));
}

/** Writes, and lets the time pass after which silence ends a line. */
async function sendUnended(program: Program, text: string): Promise<void> {
  await send(program, text);
  clock.advance(200);
  await turn();
}
