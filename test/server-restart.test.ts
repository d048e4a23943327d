/** A server that goes away while clients talk, and the one that takes its place: what was accepted was delivered. */
import { type ChatClient, ClientError, connect, type Room } from '@chat/client';
import { createChatServer, UNLIMITED } from '@chat/server';
import { describe, expect, it } from 'vitest';

interface Talker {
  readonly client: ChatClient;
  readonly room: Room;
  /** Ids of what arrived. */
  readonly heard: Set<string>;
  /** Ids of what was accepted. */
  readonly accepted: string[];
  /** Codes of what was not. */
  readonly refused: string[];
  readonly waiting: Promise<void>[];
}

async function comeIn(port: number, name: string): Promise<Talker> {
  const client = await connect(`tcp://127.0.0.1:${port}`, {
    name,
    reconnect: { baseDelayMs: 10, maxDelayMs: 50 },
  });
  const room = await client.join('lobby');
  const talker = { client, room, heard: new Set<string>(), accepted: [], refused: [], waiting: [] };
  room.on('message', ({ id }) => void talker.heard.add(id));
  return talker;
}

function say({ room, accepted, refused, waiting }: Talker, text: string): void {
  waiting.push(
    room.send(text).then(
      ({ id }) => void accepted.push(id),
      (error: unknown) => void refused.push(ClientError.is(error) ? error.code : String(error)),
    ),
  );
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a restart under load', () => {
  it.each(['drain', 'close'] as const)('by %s loses nothing that was accepted', async (how) => {
    const first = createChatServer(UNLIMITED);
    const address = await first.listen({ port: 0, host: '127.0.0.1' });
    if (address.kind !== 'tcp') throw new Error(address.kind);
    const { port } = address;
    const talkers = await Promise.all(['ada', 'bob', 'carol'].map((name) => comeIn(port, name)));
    let talking = true;
    const talk = (async () => {
      for (let i = 0; talking; i++) {
        for (const talker of talkers)
          if (talker.waiting.length - talker.accepted.length < 100) say(talker, `${i}`);
        await nextTurn();
      }
    })();
    while (talkers.some(({ accepted }) => accepted.length < 200)) await nextTurn();

    const result = how === 'drain' ? await first.drain({ spreadMs: 20 }) : await first.close();
    if (how === 'drain') expect(result).toEqual({ drained: 3, forced: 0 });
    const second = createChatServer(UNLIMITED);
    await second.listen({ port, host: '127.0.0.1' });
    const since = talkers.map(({ accepted }) => accepted.length);
    while (
      talkers.some(({ accepted, refused }, i) => refused.length === 0 && accepted.length < since[i]! + 100)
    ) {
      await nextTurn();
    }
    while (talkers.some(({ client }) => client.state.status !== 'open')) await nextTurn();
    talking = false;
    await talk;
    await Promise.all(talkers.flatMap(({ waiting }) => waiting));

    const acceptedIn = (epoch: string): string[] =>
      talkers.flatMap(({ accepted }) => accepted.filter((id) => id.startsWith(epoch)));
    const [before, after] = [acceptedIn(first.epoch), acceptedIn(second.epoch)];
    expect(new Set([...before, ...after]).size).toBe(talkers.flatMap(({ accepted }) => accepted).length);
    expect(before.length).toBeGreaterThanOrEqual(600);
    // In the new life everybody hears at least itself: the others may have been back before it.
    const unheard = ({ accepted, heard }: Talker): boolean =>
      accepted.some((id) => id.startsWith(second.epoch) && !heard.has(id));
    while (talkers.some(unheard)) await nextTurn();
    // What a server accepted before it drained, it has delivered to everybody before it went.
    if (how === 'drain') {
      for (const { heard } of talkers) expect(before.filter((id) => !heard.has(id))).toEqual([]);
    }
    const codes = new Set(talkers.flatMap(({ refused }) => refused));
    // A drain leaves nothing unanswered. After a close the fate of what was on its way is unknown, and is said to be.
    expect([...codes].filter((code) => how === 'drain' || code !== 'ERR_CLIENT_UNCONFIRMED')).toEqual([]);
    for (const { client } of talkers) await client.close();
    await second.close();
  });
});
