import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, inject, it } from 'vitest';
import { type Channel, openChannel } from '../../src/channel/channel.js';
import { duplexOf } from '../../src/channel/duplex.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });
const open = (side: 'a' | 'b'): Channel =>
  openChannel(place.name, { directory: place.directory, capacityBytes: 4096, side });

describe('a channel as a stream', () => {
  it('carries bytes both ways, more than fit into the channel, and ends', async () => {
    const [left, right] = [duplexOf(open('a')), duplexOf(open('b'))];
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i & 0xff));
    left.end(sent);
    const echoed = pipeline(right, right);
    expect((await buffer(left)).equals(sent)).toBe(true);
    await echoed;
    left.destroy();
  });

  it('lets what nobody reads wait in shared memory, and then outside', async () => {
    const channel = open('a');
    const [left, right] = [duplexOf(channel), duplexOf(open('b'))];
    let written = 0;
    while (left.write(Buffer.alloc(1000))) written++;
    while (channel.unreadBytes < 3000) await new Promise(setImmediate);
    let read = 0;
    const ended = once(right, 'end');
    right.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    left.end();
    await ended;
    expect(read).toBe((written + 1) * 1000);
    left.destroy();
    right.destroy();
  });

  it('closes its channel when it is destroyed, and is destroyed when that is closed', async () => {
    const [a, b] = [open('a'), open('b')];
    const [left, right] = [duplexOf(a), duplexOf(b)];
    right.resume();
    const failed = once(right, 'error');
    left.destroy();
    expect(a.closed).toBe(true);
    expect((await failed)[0]).toEqual(code('ERR_SHM_PEER_GONE'));
    expect(b.closed).toBe(true);
    const again = open('a');
    const stream = duplexOf(again);
    again.close();
    expect(stream.destroyed).toBe(true);
  });

  it('does not write for ever when nobody is there to read any more', async () => {
    const b = open('b');
    const stream = duplexOf(open('a'));
    const failed = once(stream, 'error');
    stream.write(Buffer.alloc(100_000));
    await new Promise(setImmediate);
    b.close();
    expect((await failed)[0]).toEqual(code('ERR_SHM_PEER_GONE'));
  });

  it('is destroyed when the other side dies', async () => {
    const channel = open('a');
    const stream = duplexOf(channel);
    const child = new ChildProcess(inject('childProgram'));
    const attached = once(channel, 'peer-attached');
    await child.act('attach to side b', { ...place });
    await attached;
    stream.resume();
    const failed = once(stream, 'error');
    await child.end();
    expect((await failed)[0]).toEqual(code('ERR_SHM_PEER_GONE'));
  });
});
