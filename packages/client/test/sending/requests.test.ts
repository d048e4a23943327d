import type { Failure } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ClientError } from '../../src/errors.js';
import { Requests } from '../../src/sending/requests.js';
import { open } from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';

describe('requests', () => {
  it('are asked again on the next connection', async () => {
    const made = await open();
    const listing = made.client.rooms({ prefix: 'a', limit: 2 });
    await turns();
    await made.server.end.cut();
    await made.clock.advance(1000);
    await made.server.end.welcome({ resumed: true });
    expect(made.server.end.last(FrameType.Request).request).toEqual({ op: 'rooms', prefix: 'a', limit: 2 });
    await made.server.end.respond({ rooms: [{ room: 'a', memberCount: 1 }], cursor: 'a' });
    expect(await listing).toEqual({ rooms: [{ room: 'a', memberCount: 1 }], cursor: 'a' });
  });

  it('reject with the failure of the server', async () => {
    const { client, server } = await open();
    const renaming = client.rename('bob');
    renaming.catch(() => {});
    await turns();
    await server.end.refuse({ code: 'name-taken', message: 'bob is here' });
    await expect(renaming).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_TAKEN' });
    expect(client.name).toBe('ada');
  });

  it('reject a failure that a later version of the server may know', async () => {
    const { client, server } = await open();
    const renaming = client.rename('bob');
    renaming.catch(() => {});
    await turns();
    await server.end.refuse({ code: 'from-the-future' as never, message: 'hm' });
    await expect(renaming).rejects.toMatchObject({ code: 'ERR_CLIENT_INTERNAL' });
  });

  it('give up after requestTimeoutMs, and ignore an answer that comes later', async () => {
    const { client, server, clock } = await open({ requestTimeoutMs: 2000 });
    const listing = client.rooms();
    listing.catch(() => {});
    await clock.advance(2000);
    await expect(listing).rejects.toMatchObject({ code: 'ERR_CLIENT_REQUEST_TIMEOUT' });
    await server.end.respond({ rooms: [] });
    expect(client.state.status).toBe('open');
  });

  it('reject with the reason of their signal', async () => {
    const { client } = await open();
    const controller = new AbortController();
    const listing = client.rooms({ signal: controller.signal });
    listing.catch(() => {});
    controller.abort(new Error('enough'));
    await expect(listing).rejects.toThrow('enough');
    await expect(client.rooms({ signal: controller.signal })).rejects.toThrow('enough');
  });

  it('are not troubled by answers to questions that nobody asked', async () => {
    const { client, server } = await open();
    await server.end.send({ type: FrameType.Response, id: 77, response: 1 });
    await server.end.send({ type: FrameType.Failed, id: 78, failure: { code: 'internal', message: '' } });
    await server.end.send({
      type: FrameType.History,
      id: 79,
      last: true,
      end: true,
      entries: new Uint8Array(),
    });
    await server.end.ack(5, 5);
    expect(client.state.status).toBe('open');
  });
});

/** Requests by themselves, over a connection that counts what goes out. */
function alone() {
  const clock = new FakeClock();
  const requests = new Requests(clock, 1000);
  let sent = 0;
  const open = () => requests.open(() => sent++);
  open();
  return { clock, requests, open, sent: () => sent };
}

const LOST = new ClientError('ERR_CLIENT_CONNECTION_LOST', 'gone');
const ROOMS = { rooms: [] };

describe('Requests', () => {
  it('are numbered from 1, so that 0 belongs to none', async () => {
    const { requests } = alone();
    const asked = requests.ask({ op: 'rooms' });
    requests.answer(0, ROOMS);
    requests.answer(1, ROOMS);
    expect(await asked).toBe(ROOMS);
  });

  it('reject with the connection when they are not to be repeated', async () => {
    const { requests, open, sent } = alone();
    const once = requests.ask({ op: 'join', room: 'a' }, { repeat: false });
    const again = requests.ask({ op: 'rooms' });
    requests.lost(LOST);
    await expect(once).rejects.toBe(LOST);
    open();
    expect(sent()).toBe(3);
    requests.answer(2, ROOMS);
    expect(await again).toBe(ROOMS);
  });

  it('show an answer to its asker before anything else happens, and reject with what that throws', async () => {
    const { requests } = alone();
    const seen: unknown[] = [];
    void requests.ask({ op: 'rooms' }, { onAnswer: (answer) => seen.push(answer) });
    requests.answer(1, ROOMS);
    expect(seen).toEqual([ROOMS]);
    const onAnswer = () => {
      throw new Error('no sense');
    };
    const refused = requests.ask({ op: 'rooms' }, { onAnswer });
    requests.answer(2, ROOMS);
    await expect(refused).rejects.toThrow('no sense');
  });

  it('hand on an answer for which nobody waits any more, while its connection lives', async () => {
    const { requests, clock, open } = alone();
    const late: unknown[] = [];
    const ask = () => requests.ask({ op: 'rooms' }, { onLateAnswer: (answer) => late.push(answer) });
    const first = ask();
    const second = ask();
    const both = Promise.allSettled([first, second]);
    await clock.advance(1000);
    expect(await both).toMatchObject([
      { reason: { code: 'ERR_CLIENT_REQUEST_TIMEOUT' } },
      { reason: { code: 'ERR_CLIENT_REQUEST_TIMEOUT' } },
    ]);
    expect(requests.some(({ op }) => op === 'rooms')).toBe(true);
    requests.answer(1, ROOMS);
    requests.lost(LOST);
    open();
    requests.answer(2, ROOMS);
    expect(late).toEqual([ROOMS]);
    expect(requests.some(() => true)).toBe(false);
  });

  it('collect the frames of a history, and begin anew when the connection broke between them', async () => {
    const { requests, open } = alone();
    const asked = requests.ask({ op: 'history', room: 'a' });
    const [half, one, two] = [Uint8Array.of(9), Uint8Array.of(1), Uint8Array.of(2)];
    requests.history(1, half, false, false);
    requests.lost(LOST);
    open();
    requests.history(1, one, false, false);
    requests.history(1, two, true, true);
    expect(await asked).toEqual({ chunks: [one, two], end: true });
  });

  it('all reject at the end of the client, and leave no timer', async () => {
    const { requests, clock } = alone();
    const asked = Promise.allSettled([requests.ask({ op: 'rooms' }), requests.ask({ op: 'rooms' })]);
    requests.fail(LOST);
    expect(await asked).toEqual([
      { status: 'rejected', reason: LOST },
      { status: 'rejected', reason: LOST },
    ]);
    expect(clock.timers).toBe(0);
  });

  it('reject with the refusal of the server', async () => {
    const { requests } = alone();
    const asked = requests.ask({ op: 'rooms' });
    const failure: Failure = { code: 'forbidden', message: 'not for you' };
    requests.refuse(1, failure);
    requests.refuse(1, failure);
    await expect(asked).rejects.toMatchObject({ code: 'ERR_CLIENT_FORBIDDEN' });
  });
});
