import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, inject, it, vi } from 'vitest';
import type { Channel } from '../../src/channel/channel.js';
import { ShmError } from '../../src/errors.js';
import { jsonCodec } from '../../src/record/codec.js';
import { Segment } from '../../src/segment/segment.js';
import { connect } from '../../src/server/connect.js';
import { requestsOver } from '../../src/server/requests.js';
import { listen } from '../../src/server/server.js';
import { listSegments } from '../../src/tools/inspect.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const here = (): { directory: string } => ({ directory: place.directory });
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);

describe('listen and connect', () => {
  it('give each client a channel of its own, and leave no file of it', async () => {
    const server = listen(place.name, here());
    const connections = await Promise.all([1, 2, 3].map(() => connect(place.name, here())));
    const taken: Channel[] = [];
    for await (const connection of server) if (taken.push(connection) === 3) break;
    expect(server.connections).toHaveLength(3);
    expect(listSegments(here())).toEqual([place.name]);
    for (const [i, connection] of connections.entries()) await connection.send(bytes(`client ${i}`));
    const heard = await Promise.all(taken.map(async (one) => text(await one.receive())));
    expect(heard.sort()).toEqual(['client 0', 'client 1', 'client 2']);
    await taken[0]!.send(bytes('hello'));
    for (const connection of connections) connection.close();
    expect(server.closeAndRemoveIfLast()).toBe(true);
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it('carry what a codec makes of bytes', async () => {
    const codec = jsonCodec<{ readonly n: number }>();
    const server = listen(place.name, { ...here(), codec });
    const connection = await connect(place.name, { ...here(), codec });
    const [taken] = server.connections;
    await connection.send({ n: 1 });
    expect(await taken?.receive()).toEqual({ n: 1 });
    await taken?.send({ n: 2 });
    expect(await connection.receive()).toEqual({ n: 2 });
    connection.close();
    server.closeAndRemoveIfLast();
  });

  it('meet although the client is stopped while it gives the name of its channel up', async () => {
    const server = listen(place.name, here());
    const unlink = vi.spyOn(Segment.prototype, 'unlink').mockImplementationOnce(() => {
      throw new ShmError('ERR_SHM_BUSY', 'is being removed by a process that is stopped');
    });
    const client = await connect(place.name, here());
    expect(unlink).toHaveBeenCalled();
    unlink.mockRestore();
    // The first that the client has made: it may have seen the server come, and taken itself for connected.
    expect(client.name).toMatch(/\.1$/);
    const [taken] = server.connections;
    await client.send(bytes('hello'));
    expect(text(await taken?.receive())).toBe('hello');
    // It has done so since it goes on.
    expect(listSegments(here())).toEqual([place.name]);
    client.close();
    server.closeAndRemoveIfLast();
  });

  it('wait for a server that comes later', async () => {
    const connecting = connect(place.name, here());
    await new Promise(setImmediate);
    const server = listen(place.name, here());
    const [taken] = (await once(server, 'connection')) as [Channel];
    const connection = await connecting;
    taken.trySend(bytes('welcome'));
    expect(text(await connection.receive())).toBe('welcome');
    connection.close();
    server.closeAndRemoveIfLast();
  });

  it('give up after a time, or with the reason of a signal, and leave nothing behind', async () => {
    await expect(connect(place.name, { ...here(), timeoutMs: 5 })).rejects.toEqual(
      code('ERR_SHM_CONNECT_TIMEOUT'),
    );
    const controller = new AbortController();
    const connecting = connect(place.name, { ...here(), signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    expect(listSegments(here())).toEqual([place.name]);
    const server = listen(place.name, here());
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(server.connections).toEqual([]);
    server.closeAndRemoveIfLast();
  });

  it('refuse a second server, and wrong options', async () => {
    const server = listen(place.name, here());
    expect(() => listen(place.name, here())).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(() => listen('other', { ...here(), maxConnections: 0 })).toThrow(RangeError);
    await expect(connect('other', { ...here(), timeoutMs: -1 })).rejects.toThrow(RangeError);
    server.closeAndRemoveIfLast();
  });

  it('let a client wait while there are as many as may be', async () => {
    const server = listen(place.name, { ...here(), maxConnections: 1 });
    const first = await connect(place.name, here());
    let connected = false;
    const second = connect(place.name, here()).then((connection) => {
      connected = true;
      return connection;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(connected).toBe(false);
    const [taken] = server.connections;
    const gone = once(server, 'disconnection');
    first.close();
    expect(await gone).toEqual([taken, 'left']);
    taken!.close();
    (await second).close();
    server.closeAndRemoveIfLast();
  });

  it('tell who died, and what it sent before can still be read', async () => {
    const server = listen(place.name, here());
    const child = new ChildProcess(inject('childProgram'));
    const came = once(server, 'connection') as Promise<[Channel]>;
    await child.act('connect, send and stay', { ...place });
    const [connection] = await came;
    const gone = once(server, 'disconnection');
    await child.end();
    expect(await gone).toEqual([connection, 'died']);
    expect(text(await connection.receive({ endWithPeer: true }))).toBe('last words');
    server.closeAndRemoveIfLast();
  });
});

describe('requestsOver', () => {
  async function pair(answer?: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>) {
    const server = listen(place.name, here());
    const came = once(server, 'connection') as Promise<[Channel]>;
    const connection = await connect(place.name, here());
    const [taken] = await came;
    const serving = requestsOver(taken, answer);
    return { server, connection, taken, serving, asking: requestsOver(connection) };
  }

  it('answers requests, each its own, in whatever order they are ready', async () => {
    const answers: (() => void)[] = [];
    const { server, asking, connection } = await pair(async (request) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return bytes(`answer to ${text(request)}`);
    });
    const asked = ['one', 'two'].map((one) => asking.request(bytes(one)));
    while (answers.length < 2) await new Promise(setImmediate);
    for (const answer of answers.reverse()) answer();
    expect((await Promise.all(asked)).map(text)).toEqual(['answer to one', 'answer to two']);
    expect(asking.pending).toBe(0);
    connection.close();
    server.closeAndRemoveIfLast();
  });

  it('tells why there is no answer', async () => {
    const never = new Promise<Uint8Array>(() => {});
    const { server, asking, serving, connection, taken } = await pair((request) => {
      if (text(request) === 'bad') throw new Error('that was bad');
      if (text(request) === 'words') return 'words' as unknown as Uint8Array;
      return never;
    });
    await expect(asking.request(bytes('bad'))).rejects.toThrow('that was bad');
    await expect(asking.request(bytes('words'))).rejects.toEqual(code('ERR_SHM_REQUEST_FAILED'));
    await expect(serving.request(bytes('x'))).rejects.toThrow('has no handler');
    await expect(asking.request(bytes('never'), { timeoutMs: 5 })).rejects.toEqual(
      code('ERR_SHM_REQUEST_TIMEOUT'),
    );
    const controller = new AbortController();
    const given = asking.request(bytes('never'), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await expect(asking.request('text' as unknown as Uint8Array)).rejects.toThrow(TypeError);
    await expect(asking.request(new Uint8Array(asking.maxBodyBytes + 1))).rejects.toEqual(
      code('ERR_SHM_TOO_LARGE'),
    );
    expect(asking.pending).toBe(0);
    const gone = expect(asking.request(bytes('never'))).rejects.toEqual(code('ERR_SHM_PEER_GONE'));
    taken.close();
    await gone;
    const closed = expect(asking.request(bytes('x'))).rejects.toEqual(code('ERR_SHM_CLOSED'));
    connection.close();
    await closed;
    server.closeAndRemoveIfLast();
  });
});
