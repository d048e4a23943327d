/** Actors that send and receive: over rings, channels and logs. */

import { readdirSync } from 'node:fs';
import { Channel, openChannel } from '../../src/channel/channel.js';
import { openLog } from '../../src/log/log.js';
import { add, load, pause, sleepSync, store } from '../../src/platform/atomics.js';
import { openQueue } from '../../src/queue/queue.js';
import { openRing } from '../../src/ring/ring.js';
import { NOTIFIED_WAITS_WORD } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { connect } from '../../src/server/connect.js';
import { WaitBit, WaitPoint } from '../../src/waiting/wait-point.js';
import type { Waiting } from '../../src/waiting/waiting.js';
import { ACK, BELL, DONE, TAIL } from './race-words.js';
import type { Place } from './scenario.js';

/** The side that was opened first. */
const SLOT_OF_A = 0;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Keeps what the actors opened from being collected. */
const held: unknown[] = [];

export const messageActors: Readonly<Record<string, (place: Place) => unknown>> = {
  'sum the messages of a ring': async ({ name, directory }) => {
    using ring = openRing(name, { directory });
    let count = 0;
    let inOrder = true;
    let ended = false;
    while (!ended) {
      const read = ring.read((bytes, start, end) => {
        const number = new DataView(bytes.buffer, bytes.byteOffset + start).getInt32(0);
        if (number === -1) {
          ended = true;
          return;
        }
        inOrder &&= number === count && end - start === 4 + (count % 61);
        count++;
      });
      if (read === 0) await turn();
    }
    return { count, inOrder };
  },
  'wait at 400 channels, and count what that takes': async ({ name, directory }) => {
    const use = (): { readonly descriptors: number; readonly timers: number } => ({
      descriptors: readdirSync('/proc/self/fd').length,
      timers: process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length,
    });
    const waitAt = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        const channel = openChannel(`${name}-${i}`, { directory, side: 'b', keepAlive: true });
        held.push(channel, channel.receive());
      }
      while (held.some((one) => one instanceof Channel && one.peer.state !== 'attached')) await turn();
    };
    await waitAt(0, 1);
    const one = use();
    await waitAt(1, 400);
    return { one, all: use() };
  },
  'take two jobs and be done with one': async ({ name, directory }) => {
    const queue = openQueue(name, { directory });
    held.push(queue);
    const [first, second] = [await queue.take(), await queue.take()];
    first?.done();
    return [first?.bytes[0], second?.bytes[0]];
  },
  'connect, send and stay': async ({ name, directory }) => {
    const connection = await connect(name, { directory });
    held.push(connection);
    connection.trySend(new TextEncoder().encode('last words'));
  },
  'attach to side b': ({ name, directory }) => {
    held.push(openChannel(name, { directory, side: 'b' }));
    return { pid: process.pid };
  },
  'attach to side b and leave': ({ name, directory }) => {
    openChannel(name, { directory, side: 'b' }).close();
  },
  'echo on side b': ({ name, directory }) => {
    const channel = openChannel(name, { directory, side: 'b' });
    held.push(channel);
    void (async () => {
      for await (const message of channel) await channel.send(message);
    })();
  },
  'take one message of side b and keep it': async ({ name, directory }) => {
    const channel = openChannel(name, { directory, side: 'b' });
    held.push(channel);
    const messages = channel.messages();
    await messages.next();
    const second = await messages.next();
    return { busyWith: [...(second.value as Uint8Array)] };
  },
  'send on side b and exit at once': ({ name, directory }) => {
    openChannel(name, { directory, side: 'b' }).trySend(Uint8Array.of(42));
    process.exit();
  },
  'append to a log until killed': ({ name, directory }) => {
    const log = openLog(name, { directory });
    held.push(log);
    const entries = Array.from({ length: 25_600 }, (_, i) => new Uint8Array(300 + (i % 100)).fill(i));
    setImmediate(() => {
      for (let number = log.last + 1; ; number++) log.tryAppend(entries[number % 25_600] as Uint8Array);
    });
  },
  'count 50 entries of a log, asleep in between': async ({ name, directory }) => {
    using log = openLog(name, { directory });
    using reader = log.reader({ start: 'oldest' });
    let sum = 0;
    for (let count = 0; count < 50; ) {
      await reader.readable();
      count += reader.read((bytes, start) => {
        sum += bytes[start] ?? 0;
      });
    }
    return { sum };
  },
  'read two entries with the cursor "worker" and begin a third': async ({ name, directory }) => {
    const entries = openLog(name, { directory }).reader({ name: 'worker', start: 'oldest' }).entries();
    held.push(entries);
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) seen.push((await entries.next()).value?.number);
    return seen;
  },
  'echo on side b with the thread blocked': ({ name, directory }) => {
    const channel = openChannel(name, { directory, side: 'b' });
    held.push(channel);
    void (async () => {
      // A connection comes about in the event loop only, and a thread that blocks before it stands cannot ring.
      const { waiting } = channel as unknown as { waiting: Waiting };
      while (!waiting.isWatched(waiting.watch(SLOT_OF_A))) await new Promise(setImmediate);
      while (channel.readableSync()) {
        const message = channel.tryReceive();
        if (message === undefined) continue;
        channel.trySend(message);
        if (message.length === 0) return channel.close();
      }
    })();
  },
  'sleep in a channel': ({ name, directory }) => {
    const channel = openChannel(name, { directory });
    held.push(channel, channel.readable());
  },
  'sleep in a channel that keeps alive': ({ name, directory }) => {
    const channel = openChannel(name, { directory, keepAlive: true });
    held.push(channel, channel.readable());
  },
  'publish a million times in bursts': ({ name, directory }) => {
    const segment = Segment.open(undefined, name, { directory });
    held.push(segment);
    const words = segment.words.subarray(segment.payloadOffset / 4);
    const point = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
    setImmediate(() => {
      let random = 7;
      for (let number = 0; number < 1_000_000; ) {
        random = (Math.imul(random, 1_103_515_245) + 12_345) | 0;
        for (let rest = (random >>> 20) % 60; rest > 0; rest--) pause();
        for (let burst = 1 + ((random >>> 16) & 15); burst > 0 && number < 1_000_000; burst--) {
          store(words, TAIL, ++number);
          if (point.mayHaveSleepers) add(words, BELL, point.takeSleepers().length);
        }
        store(words, DONE, number);
        for (let spins = 0; load(words, ACK) !== number; spins++) if (spins % 1000 === 999) sleepSync(0.02);
      }
    });
  },
  'read a log reliably and sleep': ({ name, directory }) => {
    const log = openLog(name, { directory });
    held.push(log, log.reader({ reliable: true }));
  },
  ...Object.fromEntries(
    [0, 1, 2].map((writer) => [`append 5000 entries as writer ${writer}`, appender(writer)]),
  ),
};

/** Appends 5000 entries, of which each says whose it is and which. */
function appender(writer: number): (place: Place) => Promise<void> {
  return async ({ name, directory }) => {
    using log = openLog(name, { directory });
    for (let i = 0; i < 5000; i++) {
      const entry = new Uint8Array(3 + (i % 90));
      entry.set([writer, i & 0xff, i >> 8]);
      await log.append(entry);
      if (i % 500 === 0) await turn();
    }
  };
}
