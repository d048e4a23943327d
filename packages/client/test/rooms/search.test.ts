import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { comeBack, open, type Scene } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';

const HIT = {
  room: 'lobby',
  seq: 11,
  at: 1_700_000_000_000,
  sender: { id: 2, name: 'bob' },
  snippet: '…the quick brown fox',
  marks: [[5, 10]],
} as const;

/** A search whose request has reached the server. */
async function asked({ client }: Scene, ...[query, options]: Parameters<Scene['client']['search']>) {
  const searching = client.search(query, options);
  searching.catch(() => {});
  await turns();
  return { searching };
}

describe('search', () => {
  it('asks as it was told, and gives hits the ids of their messages', async () => {
    const scene = await open();
    const { searching } = await asked(scene, '"quick brown" f*', {
      room: 'lobby',
      from: 'bob',
      before: 40,
      limit: 5,
    });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'search',
      query: '"quick brown" f*',
      room: 'lobby',
      from: 'bob',
      before: 40,
      limit: 5,
    });
    await scene.server.end.respond({ hits: [HIT], cursor: 11, behind: true });
    expect(await searching).toEqual({
      hits: [{ ...HIT, id: `${scene.client.epoch}-11` }],
      cursor: 11,
      behind: true,
    });
  });

  it('is asked again after a reconnect', async () => {
    const scene = await open();
    const { searching } = await asked(scene, 'fox');
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({});
    expect(scene.server.end.last(FrameType.Request).request).toEqual({ op: 'search', query: 'fox' });
    await scene.server.end.respond({ hits: [] });
    expect(await searching).toEqual({ hits: [] });
  });

  it.each([
    [{ code: 'unavailable', message: 'this server has no search' }, 'ERR_CLIENT_UNAVAILABLE'],
    [{ code: 'bad-request', message: 'bad request: search' }, 'ERR_CLIENT_BAD_REQUEST'],
    [
      { code: 'too-large', message: 'a query of 1026 bytes exceeds 1024', max: 1024, actual: 1026 },
      'ERR_CLIENT_TOO_LARGE',
    ],
  ] as const)('rejects with what the server says: %o', async (failure, code) => {
    const scene = await open();
    const { searching } = await asked(scene, 'fox');
    await scene.server.end.refuse(failure);
    await expect(searching).rejects.toMatchObject({
      code,
      message: expect.stringContaining(failure.message),
    });
  });

  it.each([
    ['no hits', {}],
    ['a hit without a sender', { hits: [{ ...HIT, sender: undefined }] }],
    ['marks that are none', { hits: [{ ...HIT, marks: [5, 10] }] }],
  ])('rejects an answer with %s', async (_what, answer) => {
    const scene = await open();
    const { searching } = await asked(scene, 'fox');
    await scene.server.end.respond(answer);
    await expect(searching).rejects.toMatchObject({ code: 'ERR_PROTOCOL_FRAME_MALFORMED' });
  });

  it('refuses an option that does not exist, and a client that is closed', async () => {
    const { client } = await open();
    await expect(client.search('fox', { rooms: ['lobby'] } as never)).rejects.toThrow(
      'unknown option "rooms"',
    );
    await client.close();
    await expect(client.search('fox')).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
  });
});
