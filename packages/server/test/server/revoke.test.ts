/** Sessions whose credentials are good no more: they end at once, wherever they stand, and nobody slips in between. */
import { CloseCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { AuthenticateResult, SessionInfo } from '../../src/options/hooks.js';
import { createChatServer } from '../../src/server/chat-server.js';
import { MemoryChat } from '../support/memory-chat.js';
import { tcpPipe } from '../support/socket-pipe.js';
import { turn } from '../support/turn.js';
import { WireClient } from '../support/wire-client.js';

const isAda = ({ name }: SessionInfo): boolean => name === 'ada';

/** Where a client goes on. */
function resumeOf({ session, secret, epoch }: { session: string; secret: string; epoch: string }) {
  return { session, secret, epoch, rooms: [], inbox: 0 };
}

describe('revoke', () => {
  it('ends the sessions that are meant with unauthorized, and no other', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    await ada.join('lobby');
    await bob.join('lobby');
    expect(memory.chat.sessions.revoke(isAda, 'the password was changed')).toBe(1);
    expect(await ada.closed).toMatchObject({
      code: CloseCode.Unauthorized,
      reason: 'the password was changed',
      retryAfterMs: 0,
    });
    await turn(2);
    expect(bob.gone).toBe(false);
    expect(memory.chat.sessions.holderOf('ada')).toBeUndefined();
    expect(memory.chat.sessions.revoke(isAda, '')).toBe(0);
  });

  it('ends one that is away: its secret lets nobody in, and the same client may come with something better', async () => {
    const authenticate = (credentials: unknown): AuthenticateResult => ({ ok: credentials === 'good' });
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const clientSecret = 'a secret of the client';
    const ada = await memory.enter({ name: 'ada', credentials: 'good', clientSecret });
    ada.pipe.destroy();
    await turn(2);
    expect(memory.chat.sessions.revoke(isAda, 'revoked')).toBe(1);
    const resume = resumeOf(ada.welcome!);
    const thief = memory.connect();
    thief.greet({ name: 'ada', credentials: 'bad', clientSecret, resume });
    expect((await thief.closed)!.code).toBe(CloseCode.Unauthorized);
    const again = await memory.enter({ name: 'ada', credentials: 'good', clientSecret, resume });
    expect(again.welcome!.resumed).toBe(false);
  });

  it.each(['session-opened', 'session-resumed'] as const)(
    'in a listener of %s keeps out whom the hook let in a moment too early',
    async (event) => {
      await using server = createChatServer();
      const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
      let resume: ReturnType<typeof resumeOf> | undefined;
      if (event === 'session-resumed') {
        const first = new WireClient(tcpPipe({ host: '127.0.0.1', port }));
        resume = resumeOf(await first.enter({ name: 'ada' }));
        const away = new Promise<void>((resolve) => void server.on('session-away', () => resolve()));
        first.pipe.destroy();
        await away;
      }
      let ended = 0;
      server.on(event, () => {
        ended += server.revoke(isAda, 'removed');
      });
      const client = new WireClient(tcpPipe({ host: '127.0.0.1', port }));
      client.greet({ name: 'ada', ...(resume ? { resume } : {}) });
      expect(await client.closed).toMatchObject({ code: CloseCode.Unauthorized, reason: 'removed' });
      expect(client.frames.some(({ type }) => type === FrameType.Welcome)).toBe(false);
      expect([ended, server.sessions()]).toEqual([1, []]);
    },
  );
});
