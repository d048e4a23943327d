import { FrameType, type Hello } from '@chat/protocol/frames';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClientIdentity, IdentityStore } from '../../src/index.js';
import { comeBack, connected, scene } from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';

/** The hello of a client that was started with this identity, and the client. */
async function start(identity: string | IdentityStore, clock?: FakeClock) {
  const made = await connected({ identity, ...(clock && { clock }) });
  return { ...made, hello: made.server.end.last(FrameType.Hello).hello };
}

/** A store in memory that shows what is in it. */
function memoryStore(): IdentityStore & { saved: ClientIdentity | undefined } {
  return {
    saved: undefined,
    async load() {
      return this.saved;
    },
    async save(identity) {
      this.saved = { ...identity };
    },
  };
}

const isLater = (a: Hello, b: Hello) => b.attempt! > a.attempt!;

describe('an identity', () => {
  it('is another one for each client when nobody keeps it', async () => {
    const [ada, bob] = [await connected(), await connected()];
    const [one, two] = [ada, bob].map(({ server }) => server.end.last(FrameType.Hello).hello.clientSecret);
    expect(one).not.toBe(two);
    expect(one!.length).toBeGreaterThanOrEqual(16);
  });

  it('is the same in a later run, which counts on', async () => {
    const store = memoryStore();
    const first = await start(store);
    // Killed, while it was trying to come back.
    for (let i = 0; i < 3; i++) {
      await first.server.end.cut();
      await comeBack(first);
    }
    const last = first.server.end.last(FrameType.Hello).hello;
    const second = await start(store);
    expect(second.hello.clientSecret).toBe(first.hello.clientSecret);
    expect([isLater(first.hello, last), isLater(last, second.hello)]).toEqual([true, true]);
    expect(store.saved).toEqual({ secret: first.hello.clientSecret, run: 1 });
  });

  it('may be a secret of the program, which counts by the time of day', async () => {
    const clock = new FakeClock();
    const first = await start('the secret of a program', clock);
    await clock.advance(1000);
    const second = await start('the secret of a program', clock);
    expect(second.hello.clientSecret).toBe('the secret of a program');
    expect(isLater(first.hello, second.hello)).toBe(true);
  });

  it.each(['too short', 'x'.repeat(65), ''])('refuses the secret "%s"', (identity) => {
    expect(() => scene({ identity })).toThrow(RangeError);
  });

  it('that cannot be kept is an error of connect, and nothing is said to the server', async () => {
    const full = { load: () => undefined, save: () => Promise.reject(new Error('the disk is full')) };
    const { client, server } = scene({ identity: full, reconnect: { initial: true } });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('the disk is full'),
    });
    expect(server.ends).toEqual([]);
  });

  it('is let go when the client is closed, and taken again when it connects again', async () => {
    const calls: string[] = [];
    const store: IdentityStore = {
      load: () => void calls.push('load'),
      save: () => void calls.push('save'),
      release: () => void calls.push('release'),
    };
    const made = scene({ identity: store });
    // As an effect that runs twice: closed before anything could happen.
    made.client.connect().catch(() => {});
    void made.client.close();
    const opened = made.client.connect();
    await turns();
    await made.server.end.welcome();
    await opened;
    await made.client.close();
    await turns();
    expect(made.server.ends).toHaveLength(1);
    expect(calls).toEqual(['load', 'save', 'release']);
  });
});

describe('a platform that lacks something', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is told so, in a call and not before', async () => {
    vi.stubGlobal('crypto', undefined);
    await expect(scene().client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_PLATFORM',
      message: expect.stringContaining('crypto.getRandomValues'),
    });
    vi.unstubAllGlobals();
    vi.stubGlobal('WebSocket', undefined);
    const { connect } = await import('../../src/browser.js');
    await expect(connect('ws://localhost', { name: 'ada' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_PLATFORM',
      message: expect.stringContaining('WebSocket'),
    });
  });
});
