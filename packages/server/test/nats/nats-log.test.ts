/** The log over NATS, with real servers of it. */
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCuttingProxy } from '../../../../test/support/cutting-proxy.js';
import type { LogCondition } from '../../src/log/event-log.js';
import type { BlockLog } from '../../src/log/shared/block-log.js';
import { type NatsLogOptions, openNatsLog } from '../../src/nats/index.js';
import { assertServerVersion, loadNats } from '../../src/nats/library.js';
import type { NatsContext } from '../../src/nats/nats-context.js';
import { NatsTransport } from '../../src/nats/nats-transport.js';
import { findBeginning } from '../../src/nats/snapshot/beginning.js';
import { SnapshotStore } from '../../src/nats/snapshot/store.js';
import { findStream, patiently } from '../../src/nats/stream/stream.js';
import { systemClock } from '../../src/time/clock.js';
import { describeBlockTransport } from '../support/block-transport-contract.js';
import { draft } from '../support/event-log-contract.js';
import { NatsProcess, newNats, oldNats, versionOf } from '../support/nats-process.js';
import { until } from '../support/turn.js';

const TIMEOUT_MS = 60_000;

describe('openNatsLog', () => {
  it.each([
    [{ servers: [] }, 'servers must be'],
    [{ servers: 'nats://localhost', stream: 'a.b' }, 'stream "a.b" must be'],
    [{ servers: 'nats://localhost', replicas: 0 }, 'replicas 0 must be a number from 1 to 5'],
    [{ servers: 'nats://localhost', storage: 'disk' as never }, "storage must be 'file' or 'memory'"],
    [{ servers: 'nats://localhost', maxSilenceMs: 1999 }, 'maxSilenceMs 1999 must be 2000 or more'],
    [{ servers: 'nats://localhost', server: 1 } as never, 'unknown option "server"; did you mean "servers"?'],
  ])('refuses %j', async (options, message) => {
    const expected = { code: 'ERR_SERVER_BAD_OPTION', message: expect.stringContaining(message) };
    await expect(openNatsLog(options)).rejects.toMatchObject(expected);
  });

  it('says so when nobody is there', async () => {
    const expected = { code: 'ERR_SERVER_NATS_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1') };
    await expect(openNatsLog({ servers: 'nats://127.0.0.1:1' })).rejects.toMatchObject(expected);
  });

  it.each(['2.9.10', '2.11.99', '1.99.0', 'unknown', ''])('refuses a server of version "%s"', (version) => {
    const expected = { code: 'ERR_SERVER_NATS_VERSION', message: expect.stringContaining('2.12.0 or later') };
    expect(() => assertServerVersion(version)).toThrow(expect.objectContaining(expected));
  });

  it.each(['2.12.0', '2.12.0-RC.1', '2.15.1', '3.0.0'])('takes a server of version %s', (version) => {
    expect(() => assertServerVersion(version)).not.toThrow();
  });

  it.skipIf(oldNats === undefined)(
    'refuses a real server that is too old, and names the version that it needs',
    async () => {
      const nats = await NatsProcess.start(oldNats!);
      const message = `version ${versionOf(oldNats!)}, and 2.12.0 or later is needed`;
      const expected = { code: 'ERR_SERVER_NATS_VERSION', message: expect.stringContaining(message) };
      await expect(openNatsLog({ servers: nats.url })).rejects.toMatchObject(expected);
      await nats.remove();
    },
  );
});

describe.skipIf(newNats === undefined)('over a real server', { timeout: TIMEOUT_MS }, () => {
  let nats: NatsProcess;
  let admin: NatsConnection;
  let streams = 0;
  const nextStream = (): string => `chat-${++streams}`;

  beforeAll(async () => {
    nats = await NatsProcess.start(newNats!);
    admin = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await admin?.close();
    await nats?.remove();
  });

  async function contextOf(stream: string, servers = nats.url): Promise<NatsContext> {
    const library = await loadNats();
    const connection = await connect({ servers });
    const manager = await jetstreamManager(connection);
    return { library, connection, manager, stream, inboxPrefix: '_INBOX', clock: systemClock };
  }

  async function transport(stream: string): Promise<NatsTransport> {
    const context = await contextOf(stream);
    const wish = { name: stream, replicas: 1, storage: 'file' } as const;
    const info = await findStream(context.manager, context.library, wish);
    return new NatsTransport(context, await findBeginning(context, info));
  }

  describeBlockTransport('a stream of NATS', () => {
    const stream = nextStream();
    return { transport: () => transport(stream) };
  });

  interface End {
    readonly log: BlockLog;
    readonly got: string[];
    readonly conditions: LogCondition[];
    /** How much of it a snapshot knew. */
    recovered: number;
  }

  /** What was said is all that it knows of the chat. */
  async function opened(
    stream: string,
    servers = nats.url,
    options: Partial<NatsLogOptions> = {},
  ): Promise<End> {
    const log = await openNatsLog({ servers, stream, ...options });
    const end: End = { log, got: [], conditions: [], recovered: 0 };
    log.onCondition = (condition) => end.conditions.push(condition);
    log.onSnapshot = () => ({
      state: { processes: [], said: [...end.got] } as never,
      tail: [],
      floors: new Map(),
    });
    const recovered = await log.open((entries, from = 0) => {
      for (const entry of entries) {
        if (entry.room !== '') end.got.push(Buffer.from(entry.body).toString());
        entry.origin?.appended(entry, { kind: 'process-came', process: from });
      }
    });
    const { said = [] } = (recovered?.state ?? {}) as { readonly said?: readonly string[] };
    end.got.push(...said);
    end.recovered = said.length;
    await log.start();
    return end;
  }

  it('gives to one that comes later all that was said, and to both the same epoch', async () => {
    const stream = nextStream();
    const [one, other] = await Promise.all([opened(stream), opened(stream)]);
    for (let i = 0; i < 50; i++) one.log.append(draft('lobby', `said ${i}`));
    await until(() => other.got.length === 50);
    const late = await opened(stream);
    expect(late.got).toEqual(one.got);
    expect(new Set([one, other, late].map(({ log }) => log.epoch)).size).toBe(1);
    for (const { log } of [one, other, late]) await log.close();
  });

  it('goes on when the NATS server was killed and came back: nothing is lost or doubled', async () => {
    const stream = nextStream();
    const [one, other] = [await opened(stream), await opened(stream)];
    one.log.append(draft('lobby', 'before'));
    await until(() => other.got.length === 1);
    await nats.kill();
    one.log.append(draft('lobby', 'without'));
    other.log.append(draft('lobby', 'without'));
    await nats.start();
    one.log.append(draft('lobby', 'behind'));
    await until(() => one.got.length === 4 && other.got.length === 4);
    expect(one.got.toSorted()).toEqual(['before', 'behind', 'without', 'without']);
    expect(other.got).toEqual(one.got);
    expect([...one.conditions, ...other.conditions]).toEqual([]);
    for (const { log } of [one, other]) await log.close();
  });

  it.each([
    ['is stopped and goes on', 'stop'],
    ['is killed, and started again with what it kept', 'kill'],
    ['is not reached, and is again', 'cut'],
  ] as const)('is stalled while NATS %s, and goes on where it was', async (_what, how) => {
    const [stream, own] = [nextStream(), await NatsProcess.start(newNats!)];
    let target = own.port;
    const proxy = await startCuttingProxy(
      () => target,
      () => Number.POSITIVE_INFINITY,
    );
    const end = await opened(stream, `nats://127.0.0.1:${proxy.port}`);
    const other = await opened(stream, how === 'cut' ? own.url : `nats://127.0.0.1:${proxy.port}`);
    end.log.append(draft('lobby', 'before'));
    await until(() => other.got.length === 1);
    if (how === 'stop') own.stop();
    if (how === 'kill') await own.kill();
    if (how === 'cut') {
      target = 1;
      proxy.cutAll();
    }
    for (let i = 0; i < 50; i++) end.log.append(draft('lobby', `without ${i}`));
    if (how === 'cut') other.log.append(draft('lobby', 'meanwhile'));
    await until(() => end.conditions.length > 0);
    expect(end.conditions).toEqual([{ state: 'stalled', reason: expect.stringContaining('NATS') }]);
    end.log.append(draft('lobby', 'behind'));
    if (how === 'stop') own.goOn();
    if (how === 'kill') await own.start();
    target = own.port;
    const all = how === 'cut' ? 53 : 52;
    await until(() => end.conditions.length > 1 && end.got.length >= all && other.got.length >= all);
    expect(end.conditions[1]).toEqual({ state: 'open' });
    expect(other.got).toEqual(end.got);
    const told = end.got.filter((text) => text !== 'meanwhile');
    expect(told).toEqual(['before', ...Array.from({ length: 50 }, (_, i) => `without ${i}`), 'behind']);
    for (const { log } of [end, other]) await log.close();
    await proxy.close();
    await own.remove();
  });

  it('has failed when the stream is lost, and when another one is in its place', async () => {
    const manager = await jetstreamManager(admin);
    const stream = nextStream();
    const { log, conditions } = await opened(stream);
    await manager.streams.delete(stream);
    await until(() => conditions.length > 0);
    expect(conditions).toEqual([{ state: 'failed', reason: `stream ${stream} of NATS is lost` }]);
    await log.close();
    const replaced = nextStream();
    const former = await opened(replaced);
    await manager.streams.delete(replaced);
    const next = await opened(replaced);
    await until(() => former.conditions.length > 0);
    const reason = `stream ${replaced} of NATS is another one than the one that was read`;
    expect(former.conditions).toEqual([{ state: 'failed', reason }]);
    for (const one of [former, next]) await one.log.close();
  });

  /** A server that has lost the end of its stream, as one does with the power; what is given is done before. */
  async function shortened(own: NatsProcess, before: () => Promise<void>): Promise<void> {
    await own.kill();
    const restore = own.save();
    await own.start();
    await before();
    await own.kill();
    restore();
  }

  it('begins a new epoch when its stream was shortened: nothing wrong is delivered, and what is left stays', async () => {
    const [stream, own] = [nextStream(), await NatsProcess.start(newNats!)];
    const [one, other] = [await opened(stream, own.url), await opened(stream, own.url)];
    const say = async (text: string): Promise<void> => {
      one.log.append(draft('lobby', text));
      await until(() => [one, other].every(({ got }) => got.includes(text)));
    };
    await say('kept');
    await shortened(own, async () => {
      for (const text of ['lost', 'lost as well', 'and this']) await say(text);
    });
    await own.start();
    one.log.append(draft('lobby', 'wrong'));
    await until(() => [one, other].every(({ conditions }) => conditions.at(-1)?.state === 'failed'));
    const reasons = [one, other].map(({ conditions: [condition] }) => condition);
    expect(reasons[0]).toMatchObject({
      reason: expect.stringMatching(/was shortened: a block was stored at 4, and 6 /),
    });
    for (const { got } of [one, other]) expect(got).toEqual(['kept', 'lost', 'lost as well', 'and this']);
    const [again, late] = [await opened(stream, own.url), await opened(stream, own.url)];
    again.log.append(draft('lobby', 'goes on'));
    await until(() => late.got.includes('goes on'));
    expect(late.got[0]).toBe('kept');
    expect(late.got).not.toContain('lost');
    expect(late.got).toEqual(again.got);
    expect(late.log.epoch).toBe(again.log.epoch);
    expect(late.log.epoch).not.toBe(one.log.epoch);
    for (const { log } of [one, other, again, late]) await log.close();
    await own.remove();
  });

  it('believes no block that has another past, however far the stream has grown', async () => {
    const [stream, own] = [nextStream(), await NatsProcess.start(newNats!)];
    let target = own.port;
    const proxy = await startCuttingProxy(
      () => target,
      () => Number.POSITIVE_INFINITY,
    );
    const away = await opened(stream, `nats://127.0.0.1:${proxy.port}`);
    const other = await opened(stream, own.url);
    await shortened(own, async () => {
      other.log.append(draft('lobby', 'lost'));
      await until(() => away.got.includes('lost'));
      await other.log.close();
    });
    target = 1;
    proxy.cutAll();
    await own.start();
    const late = await opened(stream, own.url);
    for (const text of ['a', 'b', 'c', 'd']) {
      late.log.append(draft('lobby', text));
      await until(() => late.got.includes(text));
    }
    target = own.port;
    await until(() => [away, late].every(({ conditions }) => conditions.at(-1)?.state === 'failed'));
    const reasons = away.conditions.map((condition) => ('reason' in condition ? condition.reason : ''));
    expect(reasons.at(-1)).toContain('is from a server that has read something else');
    expect(away.got).toEqual(['lost']);
    expect(late.conditions.at(-1)).toMatchObject({
      reason: expect.stringContaining('has begun a new epoch at'),
    });
    const next = await opened(stream, own.url);
    expect(next.got).toEqual(['a', 'b', 'c', 'd']);
    for (const { log } of [away, late, next]) await log.close();
    await proxy.close();
    await own.remove();
  });

  it('is full while the stream refuses blocks, and open again when it takes them', async () => {
    const manager = await jetstreamManager(admin);
    const stream = nextStream();
    const { log, got, conditions } = await opened(stream);
    await manager.streams.update(stream, { max_msgs: 1 });
    log.append(draft('lobby', 'waits'));
    await until(() => conditions.length > 0);
    expect(conditions).toEqual([{ state: 'full', reason: expect.stringContaining('refuses a block') }]);
    await manager.streams.update(stream, { max_msgs: -1 });
    await until(() => conditions.length > 1 && got.length > 0);
    expect(conditions[1]).toEqual({ state: 'open' });
    expect(got).toEqual(['waits']);
    await log.close();
  });

  it('waits while a cluster does not answer yet, and says what is wrong where that does not pass', async () => {
    const library = await loadNats();
    const { TimeoutError } = library.transport;
    let tries = 0;
    const answer = await patiently(library, 'chat', async () => {
      if (++tries < 3) throw new TimeoutError();
      return 'there';
    });
    expect([answer, tries]).toEqual(['there', 3]);
    const refused = patiently(library, 'chat', () => Promise.reject(new Error('no JetStream')));
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_SERVER_NATS_STREAM',
      message: 'stream chat cannot be used: no JetStream',
    });
  });

  it('refuses a stream that is none of a chat', async () => {
    const manager = await jetstreamManager(admin);
    const foreign = nextStream();
    await manager.streams.add({ name: foreign, subjects: [`${foreign}.>`] });
    const expected = {
      code: 'ERR_SERVER_NATS_STREAM',
      message: expect.stringContaining('not made by a chat'),
    };
    await expect(openNatsLog({ servers: nats.url, stream: foreign })).rejects.toMatchObject(expected);
  });

  /** Says so many things, a block each. */
  async function sayMany({ log, got }: End, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const before = got.length;
      log.append(draft('lobby', `said ${before}`));
      await until(() => got.length > before);
    }
  }

  async function hasSnapshotFrom(stream: string, position: number, servers = nats.url): Promise<boolean> {
    const context = await contextOf(stream, servers);
    const [newest] = (await new SnapshotStore(context).index()).entries;
    await context.connection.close();
    return newest !== undefined && newest.position >= position;
  }

  /** Until the newest snapshot is of a position from here on. */
  async function snapshotFrom(stream: string, position: number, servers = nats.url): Promise<void> {
    while (!(await hasSnapshotFrom(stream, position, servers)));
  }

  const SNAPSHOTS = { snapshotBlocks: 100 } as const;

  it('begins with a snapshot when it comes late, and takes out of the stream what two of them know', async () => {
    const manager = await jetstreamManager(admin);
    const stream = nextStream();
    const [one, other] = [
      await opened(stream, nats.url, SNAPSHOTS),
      await opened(stream, nats.url, SNAPSHOTS),
    ];
    await sayMany(one, 250);
    await snapshotFrom(stream, 200);
    await sayMany(other, 3);
    await until(() => one.got.length === 253);
    let first = 0;
    while (first < 100) first = (await manager.streams.info(stream)).state.first_seq;
    const late = await opened(stream);
    expect(late.recovered).toBeGreaterThanOrEqual(190);
    expect(late.recovered).toBeLessThan(253);
    expect(late.got).toEqual(one.got);
    await sayMany(late, 1);
    await until(() => one.got.length === 254);
    for (const { log } of [one, other, late]) await log.close();
  });

  it('has another one write when the oldest is gone', async () => {
    const stream = nextStream();
    const options = { ...SNAPSHOTS, maxSilenceMs: 2000 };
    const [one, other] = [await opened(stream, nats.url, options), await opened(stream, nats.url, options)];
    await sayMany(other, 120);
    await snapshotFrom(stream, 100);
    await one.log.close();
    // Its beats are missed first.
    while (!(await hasSnapshotFrom(stream, 200))) await sayMany(other, 20);
    await other.log.close();
  });

  it('leaves the stream as it is where it is told to', async () => {
    const manager = await jetstreamManager(admin);
    const stream = nextStream();
    const one = await opened(stream, nats.url, { ...SNAPSHOTS, trim: false });
    await sayMany(one, 210);
    await snapshotFrom(stream, 200);
    await one.log.close();
    expect((await manager.streams.info(stream)).state.first_seq).toBe(1);
  });

  it('refuses a stream whose limits have taken out more than a snapshot knows, and says what is missing', async () => {
    const manager = await jetstreamManager(admin);
    const [bare, behind] = [nextStream(), nextStream()];
    for (const [stream, options] of [
      [bare, {}],
      [behind, SNAPSHOTS],
    ] as const) {
      const one = await opened(stream, nats.url, options);
      await sayMany(one, 110);
      if (stream === behind) await snapshotFrom(stream, 100);
      await one.log.close();
      const more = await opened(stream);
      await sayMany(more, 20);
      await more.log.close();
      await manager.streams.update(stream, { max_msgs: 5, discard: DiscardPolicy.Old });
    }
    for (const [stream, message] of [
      [bare, /begins with block 1\d\d; there is no snapshot of it: remove it to begin anew/],
      [behind, /begins with block 1\d\d, and its newest snapshot is of 1\d\d; /],
    ] as const) {
      const expected = { code: 'ERR_SERVER_NATS_STREAM', message: expect.stringMatching(message) };
      await expect(openNatsLog({ servers: nats.url, stream })).rejects.toMatchObject(expected);
    }
  });

  it('begins a new epoch when a snapshot knows more than the stream, though nobody is here who did', async () => {
    const [stream, own] = [nextStream(), await NatsProcess.start(newNats!)];
    const one = await opened(stream, own.url, SNAPSHOTS);
    await sayMany(one, 90);
    await one.log.close();
    await own.kill();
    const restore = own.save(stream);
    await own.start();
    const next = await opened(stream, own.url, SNAPSHOTS);
    await sayMany(next, 30);
    await snapshotFrom(stream, 100, own.url);
    await next.log.close();
    await own.kill();
    restore();
    await own.start();
    const late = await opened(stream, own.url);
    expect(late.got).toEqual(one.got);
    expect(late.log.epoch).not.toBe(next.log.epoch);
    await late.log.close();
    await own.remove();
  });

  it('passes credentials on, and says so when they are refused', async () => {
    const guarded = await NatsProcess.start(newNats!, '--user', 'chat', '--pass', 'secret');
    const servers = guarded.url;
    await expect(openNatsLog({ servers })).rejects.toMatchObject({ code: 'ERR_SERVER_NATS_UNREACHABLE' });
    const log = await openNatsLog({ servers, connection: { user: 'chat', pass: 'secret' } });
    await log.close();
    await guarded.remove();
  });
});
