/** The calls of a part that is fetched when it is first needed; `history.test.ts` and others have what they do. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { Client } from '../../src/client.js';
import * as cutter from '../../src/connection/cutter.js';
import * as onDemand from '../../src/rooms/on-demand.js';
import { closedAfterwards, join, open } from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { ScriptedServer } from '../support/scripted-server.js';

/** A client of a page: the test says when the part arrives, and whether it does. */
async function page() {
  const server = new ScriptedServer();
  const clock = new FakeClock();
  const fetches: { arrive(): void; fail(): void }[] = [];
  const platform = {
    schemes: '',
    transportFor: () => undefined,
    cutter,
    onDemand: () =>
      new Promise<typeof onDemand>((resolve, reject) => {
        fetches.push({ arrive: () => resolve(onDemand), fail: () => reject(new Error('offline')) });
      }),
  };
  const client = new Client<string>(platform, 'ws://test', {
    name: 'ada',
    clock,
    transport: server.transport,
  });
  const opened = client.connect();
  await turns();
  await server.end.welcome();
  await opened;
  return { ...closedAfterwards({ server, clock, client }), fetches };
}

const opsOf = (server: ScriptedServer) => server.end.all(FrameType.Request).map(({ request: { op } }) => op);

describe('a call of a part that is not there', () => {
  it('waits for it, and the next one needs no waiting', async () => {
    const { server, client, fetches } = await page();
    const first = client.rooms();
    await turns();
    expect(opsOf(server)).toEqual([]);
    fetches[0]!.arrive();
    await turns();
    await server.end.respond({ rooms: [] });
    expect(await first).toEqual({ rooms: [] });
    const second = client.search('word');
    await Promise.resolve();
    await turns(1);
    expect(opsOf(server)).toEqual(['rooms', 'search']);
    await server.end.respond({ hits: [] });
    await second;
    expect(fetches).toHaveLength(1);
  });

  it('is refused with a code when the part cannot be fetched, and the next one tries again', async () => {
    const scene = await page();
    const room = await join(scene);
    const refused = room.history();
    scene.fetches[0]!.fail();
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CLIENT_LOAD_FAILED' });
    const asking = room.loadMembers();
    scene.fetches[1]!.arrive();
    await turns();
    await scene.server.end.respond({ members: [] });
    expect(await asking).toBe(true);
  });

  it('is not made when the client was closed meanwhile', async () => {
    const { client, fetches } = await page();
    const listing = client.rooms();
    await client.close();
    fetches[0]!.arrive();
    await expect(listing).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
  });
});

describe('a call of a part that is there', () => {
  it('goes out in its turn, before what is asked later', async () => {
    const scene = await open();
    const room = await join(scene);
    const asking = room.history();
    const leaving = room.leave();
    await turns();
    expect(opsOf(scene.server)).toEqual(['join', 'history', 'leave']);
    asking.catch(() => {});
    leaving.catch(() => {});
  });
});
