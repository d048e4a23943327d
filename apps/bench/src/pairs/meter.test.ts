import { describe, expect, it } from 'vitest';
import { joined, linePair } from '../../test/support/line-pair.js';
import type { PayloadListener } from '../ways/stream/frame-scanner.js';
import { createMessage, MessageKind } from './ends/message.js';
import { Meter, windowFor } from './meter.js';

const PIDS = { near: process.pid, far: process.pid, server: undefined };

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
