import { describe, expect, it } from 'vitest';
import type { PayloadListener } from '../ways/stream/frame-scanner.js';
import type { Line } from '../ways/way.js';
import { answer } from './ends/answering.js';
import {
  createMessage,
  MessageKind,
  readArgument,
  readKind,
  readNumber,
  readSecond,
  writeNumber,
} from './ends/message.js';
import { Meter, windowFor } from './meter.js';

/** Two ends in one process; each holds `room` messages, and `drop` loses some on the way there. */
function linePair(
  room = Number.POSITIVE_INFINITY,
  drop: (number: number) => boolean = () => false,
): [Line, Line] {
  const queues: [Uint8Array[], Uint8Array[]] = [[], []];
  const end = (side: 0 | 1): Line => {
    let listener: PayloadListener = () => {};
    return {
      send(bytes) {
        const queue = queues[side];
        if (queue.length >= room) return false;
        const lost = side === 0 && readKind(bytes, 0) === MessageKind.Data && drop(readNumber(bytes, 0));
        if (!lost) queue.push(bytes.slice());
        return true;
      },
      receive(to) {
        listener = to;
      },
      poll() {
        const message = queues[side === 0 ? 1 : 0].shift();
        if (!message) return false;
        listener(message, 0, message.length);
        return true;
      },
      close: async () => {},
    };
  };
  return [end(0), end(1)];
}

/** Both ends in one loop: asking the near one also turns the far one. */
function joined(near: Line, far: Line): Line {
  const flush = answer(far);
  const { poll } = near;
  return {
    ...near,
    poll: () => {
      flush();
      far.poll?.();
      return poll!();
    },
  };
}

const PIDS = { near: process.pid, far: process.pid, server: undefined };

describe('answer', () => {
  it('gives credit for what it received, and says how much of it was out of place', () => {
    const [near, far] = linePair();
    const seen: number[][] = [];
    near.receive((bytes, start) =>
      seen.push([readNumber(bytes, start), readArgument(bytes, start), readSecond(bytes, start)]),
    );
    answer(far);
    const reset = createMessage(MessageKind.Reset, undefined, 2);
    writeNumber(reset, 7);
    near.send(reset);
    for (const number of [1, 2, 4]) {
      const message = createMessage(MessageKind.Data);
      writeNumber(message, number);
      near.send(message);
    }
    near.send(createMessage(MessageKind.Flush));
    while (far.poll!()) near.poll!();
    while (near.poll!());
    expect(seen).toEqual([
      [7, 2, 0],
      [7, 3, 1],
    ]);
  });
});

describe('Meter', () => {
  it('gets every round trip back, even where only one message has room', async () => {
    const meter = new Meter(joined(...linePair(1)), PIDS);
    const { sent, lost } = await meter.roundTrips(64, 1000, 40);
    expect([sent, lost]).toEqual([40, 0]);
  });

  it('moves messages one way and loses none', async () => {
    const meter = new Meter(joined(...linePair(8)), PIDS);
    const { messages, lost } = await meter.throughput(64, 20);
    expect(messages).toBeGreaterThan(0);
    expect(lost).toBe(0);
  });

  it('does not take a late credit of an earlier transfer for one of its own', async () => {
    const line = joined(...linePair());
    let burst = 0;
    const late = createMessage(MessageKind.Credit, undefined, 1_000_000);
    let listener: PayloadListener = () => {};
    const meter = new Meter(
      {
        ...line,
        receive(to) {
          listener = to;
          line.receive(to);
        },
        send(bytes) {
          if (++burst > 2 * windowFor(64)) throw new Error('more than a window was sent at once');
          return line.send(bytes);
        },
        poll() {
          burst = 0;
          listener(late, 0, late.length);
          return line.poll!();
        },
      },
      PIDS,
    );
    expect((await meter.throughput(64, 10)).lost).toBe(0);
  });

  it('notices a single message that is lost', async () => {
    const [near, far] = linePair(Number.POSITIVE_INFINITY, (number) => number === 3);
    const meter = new Meter(joined(near, far), PIDS, { answerTimeoutMs: 50 });
    expect((await meter.throughput(64, 5)).lost).toBeGreaterThan(0);
  });
});
