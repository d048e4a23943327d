/** Who stands on the acceptor, in numbers that real sockets would make slow: nobody can fill it for the others. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FrameType } from '@chat/protocol/frames';
import { beforeEach, describe, expect, it } from 'vitest';
import { Acceptor } from '../../src/connection/acceptor.js';
import { BinaryDialect } from '../../src/dialects/binary/binary-dialect.js';
import { HttpDialect } from '../../src/dialects/http/http-dialect.js';
import { LineDialect } from '../../src/dialects/line/line-dialect.js';
import type { ChatServerOptions } from '../../src/options/options.js';
import { MemoryChat } from '../support/memory-chat.js';
import { turn } from '../support/turn.js';
import { helloBytes } from '../support/wire-client.js';

/** As much of a socket as the acceptor touches. */
class Visitor extends Duplex {
  readonly remoteAddress: string;
  answer: Buffer = Buffer.alloc(0);

  constructor(remoteAddress: string) {
    super({ allowHalfOpen: true });
    this.remoteAddress = remoteAddress;
    this.on('error', () => {});
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.answer = Buffer.concat([this.answer, chunk]);
    done();
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}
}

let memory: MemoryChat;
let acceptor: Acceptor;

async function open(options: ChatServerOptions): Promise<void> {
  memory = await MemoryChat.open(options);
  acceptor = new Acceptor(memory.chat, {
    binary: new BinaryDialect(memory.chat),
    line: new LineDialect(memory.chat),
    http: new HttpDialect(memory.chat, {}),
  });
}

function visit(address: string, says?: Uint8Array | string): Visitor {
  const visitor = new Visitor(address);
  acceptor.accept(visitor as unknown as Socket, undefined);
  if (says !== undefined) visitor.push(says);
  return visitor;
}

const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;

beforeEach(() => open({ maxConnectionsPerAddress: 10 }));

describe('Acceptor', () => {
  it('keeps a place for others, however many say nothing from one address', async () => {
    const crowd = Array.from({ length: 20_000 }, () => visit('192.0.2.1'));
    expect(acceptor.connectionCount).toBeLessThan(3000);
    expect(crowd.at(-1)?.destroyed).toBe(true);
    const ada = visit('192.0.2.2', helloBytes({ name: 'ada' }));
    await turn(2);
    expect(ada.answer[4]).toBe(FrameType.Welcome);
  });

  it('takes the beginning of a request for a name once it is silent, unless it is typed key by key', async () => {
    const [program, keys] = [visit('192.0.2.1', 'PAT'), visit('192.0.2.2')];
    for (const key of 'PAT') {
      keys.push(key);
      await turn(2);
    }
    // Once to see that it is no request, once more to see that the line is not ended.
    for (let i = 0; i < 2; i++) {
      memory.clock.advance(200);
      await turn(2);
    }
    expect(memory.chat.sessions.find('PAT')?.info.address).toBe('192.0.2.1');
    keys.push('RICIA');
    await turn(2);
    memory.clock.advance(5000);
    keys.push('\r');
    await turn(2);
    expect(memory.chat.sessions.find('PATRICIA')?.info.address).toBe('192.0.2.2');
    expect(String(program.answer)).toBe('*** PATRICIA has joined the chat\n');
  });

  it('refuses whoever is over its share after a moment, also when it says nothing', async () => {
    const visitors = Array.from({ length: 12 }, () => visit('192.0.2.1'));
    memory.clock.advance(3500);
    await turn();
    expect(visitors.map(({ answer }) => String(answer))).toEqual([
      ...Array(10).fill(''),
      ...Array(2).fill('*** too many connections (too-many-connections)\n'),
    ]);
  });

  it('lets those who have long been silent make room for newcomers, and nobody else', async () => {
    const silent = Array.from({ length: 4096 }, (_, i) => visit(address(i)));
    visit(address(5000));
    await turn();
    expect(silent.filter(({ writableEnded }) => writableEnded)).toEqual([]);
    memory.clock.advance(3500);
    const ada = visit(address(6000), helloBytes({ name: 'ada' }));
    await turn(2);
    expect(ada.answer[4]).toBe(FrameType.Welcome);
    expect(String(silent[0]?.answer)).toBe('*** handshake timeout (handshake-timeout)\n');
    expect(silent.filter(({ writableEnded }) => writableEnded)).toHaveLength(1);
  });

  it('bounds a burst, too', () => {
    const burst = Array.from({ length: 20_000 }, (_, i) => visit(address(i)));
    expect(burst.filter(({ destroyed }) => !destroyed)).toHaveLength(16_384);
  });
});
