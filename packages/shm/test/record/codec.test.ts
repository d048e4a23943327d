/** Typed content, in every structure that carries any. */
import { describe, expect, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { openLatest } from '../../src/latest/latest.js';
import { openLog } from '../../src/log/log.js';
import { openQueue } from '../../src/queue/queue.js';
import {
  type Codec,
  cloneCodec,
  jsonCodec,
  type StandardSchema,
  schemaCodec,
  textCodec,
} from '../../src/record/codec.js';
import { openRing } from '../../src/ring/ring.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });

interface Point {
  readonly x: number;
}

const Point: StandardSchema<Point> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as Point | undefined)?.x === 'number'
        ? { value: value as Point }
        : { issues: [{ message: 'is no number', path: ['at', { key: 'x' }] }] },
  },
};

/** Carries one value through every structure, and returns what arrived. */
async function carry<T>(codec: Codec<T>, value: T): Promise<unknown[]> {
  const options = { directory: place.directory, codec };
  using a = openChannel<T>('channel', { ...options, side: 'a' });
  using b = openChannel<T>('channel', { ...options, side: 'b' });
  using ring = openRing<T>('ring', options);
  using log = openLog<T>('log', options);
  using queue = openQueue<T>('queue', options);
  using latest = openLatest<T>('latest', options);
  const arrived: unknown[] = [];
  await a.send(value);
  arrived.push(await b.receive());
  a.trySend(value);
  for await (const message of b) {
    arrived.push(message);
    b.release();
    break;
  }
  ring.tryWrite(value);
  arrived.push(ring.take());
  using reader = log.reader();
  await log.append(value);
  log.tryAppendAll([value]);
  const entries = reader.entries();
  for (let i = 0; i < 2; i++) arrived.push((await entries.next()).value?.value);
  await queue.put(value);
  arrived.push((await queue.take())?.value);
  latest.write(value);
  arrived.push(latest.read());
  latest.write(value);
  for await (const seen of latest) {
    arrived.push(seen);
    break;
  }
  return arrived;
}

describe('a codec', () => {
  it.each<[string, Codec<never>, unknown]>([
    ['text', textCodec as Codec<never>, 'häß 🙂'],
    ['an empty text', textCodec as Codec<never>, ''],
    ['JSON', jsonCodec() as Codec<never>, { a: [1, null, 'x'] }],
    ['a structured clone', cloneCodec() as Codec<never>, new Map([[1n, new Set([new Date(5)])]])],
    ['what a schema accepts', schemaCodec(Point) as Codec<never>, { x: 1 }],
  ])('carries %s through every structure', async (_, codec, value) => {
    const arrived = await carry(codec, value as never);
    expect(arrived).toEqual(Array.from({ length: 8 }, () => value));
  });

  it('refuses what it cannot encode, alone', () => {
    const { directory } = place;
    using channel = openChannel('c', { directory, codec: schemaCodec(Point) });
    expect(() => channel.trySend({ x: 'left' } as never)).toThrow(
      'not what the schema accepts: at.x: is no number',
    );
    expect(channel.trySend({ x: 2 })).toBe(true);
    using ring = openRing('r', { directory, codec: textCodec });
    expect(() => ring.trySend(5 as never)).toThrow(TypeError);
    expect(() => jsonCodec().encode(undefined)).toThrow(TypeError);
    expect(() => openRing('r', { directory, codec: {} as Codec<string> })).toThrow(TypeError);
    using small = openRing('s', { directory, codec: textCodec, capacityBytes: 4096 });
    expect(() => small.trySend('x'.repeat(513))).toThrow(code('ERR_SHM_TOO_LARGE'));
  });

  it('does not wait for a schema that takes its time', () => {
    const later = schemaCodec({
      '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: 1 }) },
    });
    expect(() => later.encode(1)).toThrow('asynchronously');
  });

  it('says what it cannot decode, and goes on behind it', async () => {
    const { directory } = place;
    using raw = openChannel('c', { directory, side: 'a' });
    using typed = openChannel('c', { directory, side: 'b', codec: jsonCodec<number>() });
    for (const text of ['1', '{', '2', '{', '3', '{', '4']) raw.trySend(textCodec.encode(text));
    const loop = async (): Promise<number> => {
      for await (const value of typed) if (value !== 1) return value;
      return -1;
    };
    await expect(loop()).rejects.toEqual(code('ERR_SHM_PAYLOAD'));
    expect(typed.tryReceive()).toBe(2);
    expect(() => typed.tryReceive()).toThrow(code('ERR_SHM_PAYLOAD'));
    expect(await typed.receive()).toBe(3);
    expect(() => typed.take()).toThrow(expect.objectContaining({ cause: expect.any(SyntaxError) }));
    typed.release();
    expect(typed.tryReceive()).toBe(4);
  });

  it('leaves a bad entry, job or value to its reader', async () => {
    const { directory } = place;
    using rawLog = openLog('l', { directory });
    using log = openLog('l', { directory, codec: jsonCodec() });
    using reader = log.reader({ start: 'oldest' });
    for (const text of ['{', '5']) rawLog.tryAppend(textCodec.encode(text));
    await expect(reader.entries().next()).rejects.toEqual(code('ERR_SHM_PAYLOAD'));
    expect((await reader.entries().next()).value).toMatchObject({ number: 2, value: 5 });
    using rawQueue = openQueue('q', { directory });
    using queue = openQueue('q', { directory, codec: jsonCodec() });
    rawQueue.tryPut(textCodec.encode('{'));
    const job = queue.tryTake();
    expect(() => job?.value).toThrow(code('ERR_SHM_PAYLOAD'));
    job?.done();
    expect(queue.tryTake()).toBeUndefined();
    using rawLatest = openLatest('v', { directory });
    using latest = openLatest('v', { directory, codec: jsonCodec() });
    rawLatest.write(textCodec.encode('{'));
    expect(() => latest.read()).toThrow(code('ERR_SHM_PAYLOAD'));
  });
});
