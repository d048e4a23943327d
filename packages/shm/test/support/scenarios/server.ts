import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Channel } from '../../../src/channel/channel.js';
import { connect } from '../../../src/server/connect.js';
import { type Requests, requestsOver } from '../../../src/server/requests.js';
import { listen, type Server } from '../../../src/server/server.js';
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

/** A new client is served. */
async function serves(server: Server, place: Place): Promise<void> {
  const known = new Set(server.connections);
  const client = await connectTo(place);
  await client.send(numbered(AGAIN));
  const connection = await takenFrom(server, (one, pid) => !known.has(one) && pid === process.pid);
  assert.equal(numberOf((await connection.receive()) ?? new Uint8Array()), AGAIN);
  client.close();
}

/** The connection with a client that is there, once the server has it: it takes clients in turns of its own. */
async function takenFrom(
  server: Server,
  isMeant: (connection: Channel, pid: number) => boolean,
): Promise<Channel> {
  for (;;) {
    for (const one of server.connections) {
      const { peer } = one;
      if (peer.state === 'attached' && isMeant(one, peer.pid)) return one;
    }
    await new Promise(setImmediate);
  }
}

/** A new client is served, and afterwards nothing lies about. */
async function works(server: Server, place: Place): Promise<void> {
  await serves(server, place);
  const files = readdirSync(place.directory).filter((file) => file.startsWith(`${place.name}.`));
  assert.deepEqual(files, [`${place.name}.cshm`]);
}

interface Waiting {
  readonly client: Promise<Channel>;
  /** Came while the server was stopped. */
  late?: Promise<Channel>;
  server?: Server;
}

function closeSoon(client: Promise<Channel> | undefined): void {
  client?.then(
    (channel) => channel.close(),
    () => {},
  );
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
  async whileStopped(state, place) {
    const { name, directory } = place;
    // It may be stopped before it listens; nobody takes a connection all the same.
    await assert.rejects(connect(name, { directory, timeoutMs: 1 }), { code: 'ERR_SHM_CONNECT_TIMEOUT' });
    state.late = connectTo(place);
  },
  async afterStop({ client, late }, _place, outcome) {
    assert.equal(outcome.error, undefined);
    const both = await Promise.all([client, late as Promise<Channel>]);
    for (const one of both) assert.equal(one.peer.state, 'attached');
    const greeting = await Promise.race(both.map((one) => one.receive()));
    assert.equal(numberOf(greeting as Uint8Array), HELLO);
  },
  teardown({ client, late, server }) {
    closeSoon(client);
    closeSoon(late);
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
  whileStopped: serves,
  async afterStop(server, place, outcome) {
    assert.equal(outcome.error, undefined);
    const connection = await takenFrom(server, (_one, pid) => pid !== process.pid);
    assert.equal(numberOf((await connection.receive()) as Uint8Array), HELLO);
    connection.close();
    await works(server, place);
  },
  teardown: (server) => server.close(),
};

const answer = (request: Uint8Array): Uint8Array => numbered(numberOf(request) + 1);

/** Another client is answered. */
async function isAnswered(_server: Server, place: Place): Promise<void> {
  const client = await connectTo(place);
  assert.equal(numberOf(await requestsOver(client).request(numbered(AGAIN))), AGAIN + 1);
  client.close();
}

/** A client asks a server that answers. */
const ask: Scenario<Server, Requests> = {
  name: 'server: a request and its response',
  setup: (place) =>
    listenAt(place).on('connection', (connection) => {
      requestsOver(connection, answer);
    }),
  prepare: async (place) => requestsOver(await connectTo(place)),
  operation: async (requests) => numberOf(await requests.request(numbered(HELLO))),
  afterKill: isAnswered,
  whileStopped: isAnswered,
  async afterStop(_server, _place, outcome) {
    assert.deepEqual([outcome.error, outcome.result], [undefined, HELLO + 1]);
  },
  teardown: (server) => server.close(),
};

interface Asking {
  readonly client: Promise<Channel>;
  readonly requests: Promise<Requests>;
  readonly response: Promise<number>;
}

/** A server answers a client that asks. */
const respond: Scenario<Asking, Channel> = {
  name: 'server: take a request and respond',
  setup(place) {
    const client = connectTo(place);
    const requests = client.then((channel) => requestsOver(channel));
    const response = requests.then(async (asking) => numberOf(await asking.request(numbered(HELLO))));
    response.catch(() => {});
    return { client, requests, response };
  },
  async prepare(place) {
    const [connection] = (await once(listenAt(place), 'connection')) as [Channel];
    // The request is there before the operation begins.
    while (!(await connection.readable()));
    return connection;
  },
  async operation(connection) {
    await new Promise<void>((resolve) => {
      requestsOver(connection, (request) => {
        setImmediate(resolve);
        return answer(request);
      });
    });
  },
  async afterKill({ client, response }, place, killed) {
    // It is answered, or learns that its server died; it is never left waiting.
    const seen = await response.catch((error: { code?: string }) => error.code);
    if (killed === undefined) assert.equal(seen, HELLO + 1);
    else assert.ok(seen === HELLO + 1 || seen === 'ERR_SHM_PEER_GONE', `${seen}`);
    (await client).close();
    const next = listenAt(place);
    await works(next, place);
    next.close();
  },
  async whileStopped({ requests }) {
    const asking = (await requests).request(numbered(AGAIN), { timeoutMs: 1 });
    await assert.rejects(asking, { code: 'ERR_SHM_REQUEST_TIMEOUT' });
  },
  async afterStop({ requests, response }, _place, outcome) {
    assert.equal(outcome.error, undefined);
    assert.equal(await response, HELLO + 1);
    assert.equal(numberOf(await (await requests).request(numbered(AGAIN))), AGAIN + 1);
  },
  teardown: ({ client }) => closeSoon(client),
};

export const serverScenarios: readonly Scenario[] = [take, come, ask, respond];
