/** What every public writer refuses, before anything else, and without a word to its neighbours. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Channel, type ChannelOptions, openChannel } from '../../src/channel/channel.js';
import { openLatest } from '../../src/latest/latest.js';
import { type Log, openLog } from '../../src/log/log.js';
import { openRing } from '../../src/ring/ring.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);
const open = (side: 'a' | 'b', options: ChannelOptions = {}): Channel =>
  openChannel('channel', { directory: place.directory, capacityBytes: 4096, side, ...options });

/** Every call that takes bytes, on structures of their own; `settle` closes them. */
function writers(): { name: string; write: (content: Uint8Array) => unknown }[] {
  const { directory } = place;
  const ring = openRing('ring', { directory });
  const a = open('a');
  const log = openLog('log', { directory });
  const latest = openLatest('latest', { directory });
  return [
    { name: 'ring.tryWrite', write: (content) => ring.tryWrite(content) },
    { name: 'ring.tryStage', write: (content) => ring.tryStage(content) },
    { name: 'channel.trySend', write: (content) => a.trySend(content) },
    { name: 'channel.tryStage', write: (content) => a.tryStage(content) },
    { name: 'channel.send', write: (content) => a.send(content) },
    { name: 'log.tryAppend', write: (content) => log.tryAppend(content) },
    { name: 'log.tryAppendAll', write: (content) => log.tryAppendAll([bytes('good'), content]) },
    { name: 'log.append', write: (content) => log.append(content) },
    { name: 'latest.write', write: (content) => latest.write(content) },
  ];
}

describe('a writer', () => {
  it.each([
    ['a string', 'hello'],
    ['an array', [1, 2, 3, 4]],
    ['a DataView', new DataView(new ArrayBuffer(4))],
    ['other words', new Uint16Array(4)],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['nothing', undefined],
    ['null', null],
    ['what only looks like bytes', { length: 4, 0: 1 }],
  ])('refuses %s', async (_, content) => {
    for (const { name, write } of writers()) {
      // Asked again: what a writer remembers of the array before does not matter.
      for (let i = 0; i < 3; i++) {
        const outcome = async (): Promise<unknown> => write(content as unknown as Uint8Array);
        await expect(outcome(), name).rejects.toThrow(TypeError);
      }
    }
  });

  it('takes a Buffer, and bytes of another realm', async () => {
    const foreign = runInNewContext('new Uint8Array([104, 105])') as Uint8Array;
    expect(foreign instanceof Uint8Array).toBe(false);
    const { directory } = place;
    const ring = openRing('ring', { directory });
    for (const content of [Buffer.from('hi'), foreign]) {
      expect(ring.tryWrite(content)).toBe(true);
      expect(text(ring.take())).toBe('hi');
    }
    for (const { name, write } of writers().filter((one) => !one.name.startsWith('ring')))
      await expect((async () => write(foreign))(), name).resolves.not.toThrow();
  });

  it('publishes nothing of an array whose memory was transferred away', async () => {
    const gone = new Uint8Array(8);
    structuredClone(gone, { transfer: [gone.buffer] });
    const ring = openRing('ring', { directory: place.directory });
    expect(() => ring.tryWrite(gone)).toThrow(TypeError);
    expect(ring.take()).toBeUndefined();
    expect(ring.tryWrite(bytes('next'))).toBe(true);
    expect(text(ring.take())).toBe('next');
  });
});

describe('a bad message among messages that wait for room', () => {
  it.each(['too large', 'no bytes'])('harms itself only in a channel: %s', async (what) => {
    using a = open('a');
    using b = open('b');
    while (a.trySend(new Uint8Array(400)));
    while (a.trySend(new Uint8Array(0)));
    const bad = what === 'too large' ? new Uint8Array(513) : ('bad' as unknown as Uint8Array);
    const sent = [a.send(bytes('one')), a.send(bad), a.send(bytes('two'))];
    await expect(sent[1]).rejects.toEqual(
      what === 'too large' ? code('ERR_SHM_TOO_LARGE') : expect.any(TypeError),
    );
    const got: string[] = [];
    while (got.length < 2) {
      const message = b.tryReceive();
      if (message === undefined) await b.readable();
      else if (message.length > 0 && message.length < 400) got.push(text(message));
    }
    await Promise.all([sent[0], sent[2]]);
    expect(got).toEqual(['one', 'two']);
  });

  it('harms itself only though it became bad while it waited', async () => {
    using a = open('a');
    using b = open('b');
    while (a.trySend(new Uint8Array(504)));
    const gone = new Uint8Array(8);
    const sent = [a.send(bytes('one')), a.send(gone), a.send(bytes('two'))];
    structuredClone(gone, { transfer: [gone.buffer] });
    const refused = expect(sent[1]).rejects.toThrow(TypeError);
    const got: string[] = [];
    while (got.length < 2) {
      const message = b.tryReceive();
      if (message === undefined) await b.readable();
      else if (message.length < 400) got.push(text(message));
    }
    expect(got).toEqual(['one', 'two']);
    await Promise.all([refused, sent[0], sent[2]]);
  });

  it('harms itself only in a log', async () => {
    using log: Log = openLog('log', { directory: place.directory, capacityBytes: 4096 });
    using reader = log.reader({ start: 'oldest', reliable: true });
    while (log.tryAppend(new Uint8Array(400)) !== undefined);
    const appended = [log.append(bytes('one')), log.append(new Uint8Array(513)), log.append(bytes('two'))];
    await expect(appended[1]).rejects.toEqual(code('ERR_SHM_TOO_LARGE'));
    const got: string[] = [];
    while (got.length < 2) {
      await reader.readable();
      reader.read((all, start, end) => end - start < 400 && got.push(text(all.subarray(start, end))));
    }
    expect(got).toEqual(['one', 'two']);
    expect((await appended[2]) ?? 0).toBeGreaterThan((await appended[0]) ?? 0);
  });
});

describe('what waits for room', () => {
  it('is bounded in a channel and in a log', async () => {
    const { directory } = place;
    using a = open('a', { maxQueuedBytes: 1000 });
    while (a.trySend(new Uint8Array(504)));
    const waiting = a.send(new Uint8Array(500));
    await expect(a.send(new Uint8Array(500))).rejects.toEqual(code('ERR_SHM_QUEUE_FULL'));
    using b = open('b');
    b.read(() => {});
    await waiting;
    using log = openLog('log', { directory, capacityBytes: 4096, maxQueuedBytes: 500 });
    using reader = log.reader({ start: 'oldest', reliable: true });
    while (log.tryAppend(new Uint8Array(400)) !== undefined);
    const kept = log.append(new Uint8Array(400));
    await expect(log.append(new Uint8Array(400))).rejects.toEqual(code('ERR_SHM_QUEUE_FULL'));
    reader.read(() => {});
    await kept;
    expect(() => open('a', { maxQueuedBytes: -1 })).toThrow(RangeError);
    expect(() => openLog('log', { directory, maxQueuedBytes: Number.NaN })).toThrow(RangeError);
  });

  it('is given up in a time that does not grow with its square', async () => {
    using a = open('a');
    while (a.trySend(new Uint8Array(504)));
    const time = async (count: number): Promise<number> => {
      const controllers = Array.from({ length: count }, () => new AbortController());
      const sent = controllers.map(({ signal }) => a.send(new Uint8Array(500), { signal }).catch(() => 1));
      const start = process.cpuUsage();
      for (const one of controllers.reverse()) one.abort();
      const { user, system } = process.cpuUsage(start);
      await Promise.all(sent);
      return user + system;
    };
    await time(2000);
    // Sixteen times as many: 256 times the time if each looked for its place.
    expect(await time(32_000)).toBeLessThan(100 * Math.max(await time(2000), 2000));
  });
});

describe('a loop over the messages of a channel', () => {
  it('has not read the message at hand when its body throws, or leaves', async () => {
    using a = open('a');
    const b = open('b');
    for (const one of ['m1', 'm2', 'm3']) a.trySend(bytes(one));
    const failing = async (): Promise<void> => {
      for await (const message of b) throw new Error(`failed at ${text(message)}`);
    };
    await expect(failing()).rejects.toThrow('failed at m1');
    for await (const message of b) {
      if (text(message) === 'm1') continue;
      break;
    }
    for await (const message of b) {
      expect(text(message)).toBe('m2');
      b.release();
      break;
    }
    b.close();
    using successor = open('b');
    expect(text(successor.tryReceive())).toBe('m3');
  });

  it('is the only one who reads as long as it runs', async () => {
    using a = open('a');
    using b = open('b');
    a.trySend(bytes('m1'));
    a.trySend(bytes('m2'));
    const first = b.messages();
    await first.next();
    await expect(b.messages().next()).rejects.toEqual(code('ERR_SHM_BUSY'));
    for (const read of [() => b.tryReceive(), () => b.take(), () => b.read(() => {})])
      expect(read).toThrow(code('ERR_SHM_BUSY'));
    await first.return?.();
    expect(text((await b.messages().next()).value as Uint8Array)).toBe('m1');
  });
});
