import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Channel } from '../../../src/channel/channel.js';
import { connect, listen, type Server } from '../../../src/server/server.js';
import { numbered, numberOf } from '../numbered.js';
import type { Place, Scenario } from '../scenario.js';

const HELLO = 1;
const AGAIN = 2;
/** Longer than a run takes: what is waited for is to come by itself. */
const PATIENCE = { timeoutMs: 120_000 };

const listenAt = ({ name, directory }: Place): Server => listen(name, { directory });
const connectTo = ({ name, directory }: Place): Promise<Channel> => connect(name, { directory, ...PATIENCE });

/** Everything that comes until the other side is gone. */
async function untilGone(channel: Channel): Promise<number[]> {
  const seen: number[] = [];
  for await (const message of channel.messages({ endWithPeer: true })) seen.push(numberOf(message));
  return seen;
}

/** A new client is served, and afterwards nothing lies about. */
async function works(server: Server, place: Place): Promise<void> {
  const known = new Set(server.connections);
  const client = await connectTo(place);
  await client.send(numbered(AGAIN));
  const taken = (): Channel | undefined =>
    server.connections.find(
      (one) => !known.has(one) && one.peer.state === 'attached' && one.peer.pid === process.pid,
    );
  while (taken() === undefined) await new Promise(setImmediate);
  assert.equal(numberOf((await taken()?.receive()) ?? new Uint8Array()), AGAIN);
  client.close();
  const files = readdirSync(place.directory).filter((file) => file.startsWith(`${place.name}.`));
  assert.deepEqual(files, [`${place.name}.cshm`]);
}

interface Waiting {
  readonly client: Promise<Channel>;
  server?: Server;
}

/** A server takes a client that waits, and greets it. */
const take: Scenario<Waiting, Place> = {
  name: 'server: listen, take a client, greet it',
  setup: (place) => ({ client: connectTo(place) }),
  prepare: (place) => place,
  async operation(place) {
    const server = listenAt(place);
    const [connection] = (await once(server, 'connection')) as [Channel];
    await connection.send(numbered(HELLO));
  },
  async afterKill(state, place, killed) {
    const server = listenAt(place);
    state.server = server;
    // It is served by the successor, or learns that its server died; it is never left waiting.
    const client = await state.client;
    if (client.peer.state !== 'attached' || client.peer.pid !== process.pid) {
      const seen = await untilGone(client);
      assert.deepEqual(seen, killed === undefined ? [HELLO] : [HELLO].slice(0, seen.length));
    }
    client.close();
    await works(server, place);
  },
  teardown({ client, server }) {
    client.then(
      (channel) => channel.close(),
      () => {},
    );
    server?.close();
  },
};

/** A client connects, says something and stays. */
const come: Scenario<Server, Place> = {
  name: 'server: connect and say hello',
  setup: listenAt,
  prepare: (place) => place,
  async operation(place) {
    const connection = await connectTo(place);
    await connection.send(numbered(HELLO));
  },
  async afterKill(server, place, killed) {
    const seen: number[] = [];
    for (const connection of server.connections) seen.push(...(await untilGone(connection)));
    assert.deepEqual(seen, killed === undefined ? [HELLO] : [HELLO].slice(0, seen.length));
    // What a client left that died before it said that it waits, the next server finds.
    server.close();
    const next = listenAt(place);
    await works(next, place);
    next.close();
  },
  teardown: (server) => server.close(),
};

export const serverScenarios: readonly Scenario[] = [take, come];
