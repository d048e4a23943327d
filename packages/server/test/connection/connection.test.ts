/** A connection by itself, with a dialect that is made for the test: each chunk is a name first, then a message. */
import { CloseCode, type Failure, LOBBY } from '@chat/protocol';
import { NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { Connection, type DialectPeer } from '../../src/connection/connection.js';
import type { InputAccount } from '../../src/limits/input-account.js';
import type { ChatServerOptions } from '../../src/options/options.js';
import type { Membership } from '../../src/room/room.js';
import type { ServerCore } from '../../src/server/core.js';
import type { CarrierRequest } from '../../src/session/peer.js';
import { MemoryChat } from '../support/memory-chat.js';
import { MemoryLink } from '../support/memory-link.js';
import { turn } from '../support/turn.js';

class ChunkPeer implements DialectPeer {
  readonly dialect = 'line';
  readonly connection: Connection<number>;
  readonly chunks: string[] = [];
  readonly refusals: number[] = [];
  canResume = false;
  hasEnded = false;
  stopped = 0;
  readonly request: CarrierRequest | undefined = undefined;

  constructor(core: ServerCore, link: MemoryLink) {
    this.connection = new Connection<number>(core, link, this, 0);
  }

  get address(): string {
    return this.connection.link.address;
  }

  get input(): InputAccount {
    return this.connection.input;
  }

  set input(account: InputAccount) {
    this.connection.input = account;
  }

  deliver(membership: Membership): void {
    const { sender } = this.connection;
    if (sender.isBlocked || membership.lagged) return;
    membership.moveTo(membership.room.log.end());
    sender.write(Buffer.from('<entries>'));
    sender.look();
  }

  flush(): void {
    this.connection.sender.flush();
  }

  say(text: string): void {
    this.connection.sender.answer(Buffer.from(text));
  }

  signal(): void {}
  tell(): void {}
  ack(): void {}
  nack(_id: number, { message }: Failure): void {
    this.say(message);
  }
  gap(): void {}
  evict(): void {}
  drain(): void {}

  close(code: number, reason: string): void {
    this.connection.close(code, reason);
  }

  lastWords(code: number, reason: string): Uint8Array {
    return Buffer.from(`<${code} ${reason}>`);
  }

  read(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk).toString());
  }

  onEnd(): void {
    this.hasEnded = true;
  }

  greetingTimeout(): string {
    return 'no name';
  }

  stop(): void {
    this.stopped++;
  }

  takeNext(): boolean | Promise<void> {
    const chunk = this.chunks.shift();
    if (chunk === undefined) return false;
    if (chunk === 'defect') throw new Error('a defect');
    const { state } = this.connection;
    return state.name === 'greeting' ? this.#admit(chunk, state.greeting) : true;
  }

  async #admit(name: string, tries: number): Promise<void> {
    const result = await this.connection.admit({ name }, tries);
    if (!result) return;
    if ('session' in result) {
      await result.session.join(LOBBY, {});
      return;
    }
    this.refusals.push(result.code);
    this.connection.greet(tries + 1, true);
  }
}

async function setUp(options: ChatServerOptions = {}) {
  const memory = await MemoryChat.open(options);
  const connect = (): { peer: ChunkPeer; link: MemoryLink; text: () => string; send(text: string): void } => {
    const link = new MemoryLink();
    let text = '';
    link.onOutput = (bytes) => {
      text += Buffer.from(bytes).toString();
    };
    const peer = new ChunkPeer(memory.chat, link);
    return { peer, link, text: () => text, send: (said) => link.receive(Buffer.from(said)) };
  };
  return { memory, connect };
}

describe('Connection', () => {
  it('is open once its client is let in, and goes back to the greeting when it is refused', async () => {
    const { connect } = await setUp();
    const [ada, other] = [connect(), connect()];
    expect(ada.peer.connection.state).toEqual({ name: 'greeting', greeting: 0 });
    ada.send('ada');
    other.send('ada');
    await turn(2);
    expect(ada.peer.connection.session?.name).toBe('ada');
    expect(other.peer.connection.state).toEqual({ name: 'greeting', greeting: 1 });
    expect(other.peer.refusals).toEqual([CloseCode.NameTaken]);
    other.send('bob');
    await turn(2);
    expect(other.peer.connection.session?.name).toBe('bob');
  });

  it('closes with what the dialect says when the greeting takes too long, and gives a refused one its time again', async () => {
    const { memory, connect } = await setUp({ handshakeTimeoutMs: 10_000 });
    await memory.enter('ada');
    const [silent, refused] = [connect(), connect()];
    memory.clock.advance(9000);
    refused.send('ada');
    await turn(2);
    memory.clock.advance(1500);
    expect(silent.text()).toBe(`<${CloseCode.HandshakeTimeout} no name>`);
    expect(silent.link.ended).toBe(true);
    expect(refused.text()).toBe('');
    memory.clock.advance(9000);
    expect(refused.text()).toBe(`<${CloseCode.HandshakeTimeout} no name>`);
  });

  it('ends a session whose connection is closed before it hears of it', async () => {
    const { memory, connect } = await setUp();
    const ada = connect();
    ada.send('ada');
    ada.peer.close(CloseCode.Internal, 'now');
    await turn(2);
    expect(memory.chat.counters.sessionsOpened).toBe(1);
    expect(memory.chat.sessions.count).toBe(0);
  });

  it('gives up a hook that decides too long', async () => {
    let decide!: () => void;
    let isAborted = false;
    const { memory, connect } = await setUp({
      hooks: {
        authenticate: (_credentials, _session, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              isAborted = true;
            });
            decide = () => resolve({ ok: true });
          }),
      },
    });
    const ada = connect();
    ada.send('ada');
    await turn();
    expect(ada.peer.connection.state.name).toBe('admitting');
    memory.clock.advance(11_000);
    expect(ada.text()).toBe(`<${CloseCode.HandshakeTimeout} the handshake took too long>`);
    expect(isAborted).toBe(true);
    decide();
    await turn(2);
    expect(memory.chat.sessions.count).toBe(0);
  });

  it('says why it is closed behind what the client is still owed, once', async () => {
    const { memory, connect } = await setUp();
    const ada = connect();
    ada.send('ada');
    await turn(2);
    const before = ada.text();
    const { session } = ada.peer.connection;
    session!.publisher.publish(session!.lobby!.room.handle, 1, 1, Buffer.from('hello'));
    ada.peer.close(CloseCode.Kicked, 'out');
    ada.peer.close(CloseCode.Internal, 'again');
    expect(ada.text().slice(before.length)).toBe(`<entries><${CloseCode.Kicked} out>`);
    expect(ada.peer.connection.state).toEqual({ name: 'closed', byGoodbye: false });
    expect([memory.chat.counters.closes.get(CloseCode.Kicked), ada.peer.stopped]).toEqual([1, 1]);
    expect(session!.ended).toBe(true);
  });

  it('keeps a session for its return where the dialect can resume', async () => {
    const { memory, connect } = await setUp();
    const ada = connect();
    ada.peer.canResume = true;
    ada.send('ada');
    await turn(2);
    const { session } = ada.peer.connection;
    ada.peer.close(CloseCode.IdleTimeout, 'silent');
    expect(session!.ended).toBe(false);
    memory.clock.advance(31_000);
    expect(session!.ended).toBe(true);
    const bob = await memory.enter('bob');
    await bob.join(LOBBY);
    const { entries } = await bob.history(LOBBY, { limit: 10 });
    expect(entries.map((entry) => 'kind' in entry && entry.kind)).toContain(NoticeKind.Gone);
  });

  it('waits with a goodbye until what came before is read, but not for ever', async () => {
    for (const reads of [true, false]) {
      const { memory, connect } = await setUp();
      const ada = connect();
      ada.send('ada');
      await turn(2);
      const { session } = ada.peer.connection;
      ada.link.stall();
      ada.peer.say('unread');
      ada.peer.connection.leave(5000);
      expect(ada.peer.connection.state.name).toBe('leaving');
      ada.send('ignored');
      expect(ada.peer.chunks).toEqual([]);
      if (reads) ada.link.flow();
      else memory.clock.advance(5500);
      expect(ada.peer.connection.state).toEqual({ name: 'closed', byGoodbye: true });
      expect(session!.ended).toBe(true);
    }
  });

  it('stops to take input from a client that does not read its answers', async () => {
    const { connect } = await setUp({ maxQueuedBytes: 100 });
    const ada = connect();
    ada.send('ada');
    await turn(2);
    ada.link.stall();
    ada.peer.say('x'.repeat(101));
    ada.peer.say('y');
    expect(ada.link.paused).toBe(true);
    ada.send('more');
    expect(ada.peer.chunks).toEqual([]);
    ada.link.flow();
    expect(ada.link.paused).toBe(false);
  });

  it('closes with internal for a defect, and with rate-limited for a flood of what carries nothing', async () => {
    const { memory, connect } = await setUp({
      maxMessagesPerSecond: 1,
      maxMessageBurst: 1,
      maxRateViolations: 2,
    });
    const [ada, bob] = [connect(), connect()];
    ada.send('defect');
    expect(ada.text()).toBe(`<${CloseCode.Internal} the server failed>`);
    for (let i = 0; i < 100; i++) bob.peer.connection.tryTrifle();
    expect(bob.text()).toMatch(new RegExp(`^<${CloseCode.RateLimited} `));
    expect(memory.chat.counters.closes.get(CloseCode.RateLimited)).toBe(1);
  });

  it('ends a session whose client had ended its input before the connection broke', async () => {
    const { memory, connect } = await setUp();
    const ada = connect();
    ada.send('ada');
    await turn(2);
    ada.link.receiveEnd();
    ada.link.destroy();
    await turn();
    expect(ada.peer.connection.state).toEqual({ name: 'closed', byGoodbye: true });
    expect(memory.chat.sessions.count).toBe(0);
  });
});
