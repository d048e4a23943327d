import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CarrierKeeper } from '../../../src/workers/carrier/carrier-keeper.js';
import type { FromCarrier, ToCarrier } from '../../../src/workers/messages.js';

/** A process of the store that says what the test wants. */
class FakeCarrier extends EventEmitter {
  readonly heard: ToCarrier[] = [];
  readonly signals: string[] = [];
  readonly process = { kill: (signal: string) => void this.signals.push(signal) };

  isConnected(): boolean {
    return true;
  }

  send(message: ToCarrier): void {
    this.heard.push(message);
  }

  says(message: FromCarrier): void {
    this.emit('message', message);
  }

  ends(code: number | null, signal: string | null = null): void {
    this.emit('exit', code, signal);
  }
}

const WISH = { kind: 'search', query: 'tea', scope: {} as never } as const;

function keeperOf() {
  const started: FakeCarrier[] = [];
  const told: unknown[] = [];
  const tell =
    (what: string) =>
    (...given: unknown[]): void =>
      void told.push([what, ...given]);
  const logger = { info: () => {}, warn: () => {}, error: (_: object, line: string) => tell('error')(line) };
  const keeper = new CarrierKeeper({
    logger,
    words: { process: 'the process', isOpenAgain: 'it is open again' },
    silenceMs: 1000,
    fork: () => {
      const store = new FakeCarrier();
      started.push(store);
      return store as unknown as Worker;
    },
    onOpen: tell('open'),
    onSnapshot: tell('snapshot'),
    onLost: tell('lost'),
    onGone: tell('gone'),
    onMetrics: tell('metrics'),
    onEnded: () => {},
    onRefused: tell('refused'),
    onLeft: tell('left'),
  });
  keeper.start();
  return { keeper, started, told };
}

const open = (store: FakeCarrier | undefined, epoch = 'e'): void =>
  store!.says({ kind: 'carrier-open', epoch });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('CarrierKeeper', () => {
  it('asks the next one again for what was not answered', () => {
    const { keeper, started, told } = keeperOf();
    const answers: unknown[] = [];
    keeper.ask(WISH, (answer) => answers.push(answer));
    keeper.askForSnapshot(7);
    expect(started[0]!.heard).toEqual([]);
    open(started[0]);
    const asked = [
      { kind: 'store-asked', id: 1, wish: WISH },
      { kind: 'snapshot-wanted', by: 7 },
    ];
    expect(started[0]!.heard).toEqual(asked);
    started[0]!.ends(null, 'SIGKILL');
    open(started[1]);
    expect(started[1]!.heard).toEqual(asked);
    started[1]!.says({ kind: 'store-answered', id: 1, answer: { value: 3 } });
    const snapshot = { position: 5 } as never;
    started[1]!.says({ kind: 'snapshot', by: 7, snapshot });
    expect(answers).toEqual([{ value: 3 }]);
    expect(told).toContainEqual(['snapshot', 7, snapshot]);
    started[1]!.ends(null, 'SIGKILL');
    open(started[2]);
    expect(started[2]!.heard).toEqual([]);
  });

  it('kills one that does not answer, as when it was stopped, and starts another', () => {
    const { keeper, started } = keeperOf();
    const [now] = [Date.now()];
    keeper.look(now + 5000, false);
    // It is not open yet: a large folder takes its time.
    expect(started[0]!.signals).toEqual([]);
    open(started[0]);
    keeper.look(now + 1000, false);
    expect([started[0]!.signals, started[0]!.heard.at(-1)]).toEqual([[], { kind: 'ping' }]);
    // The supervisor did not run itself.
    keeper.look(now + 60_000, true);
    expect(started[0]!.signals).toEqual([]);
    keeper.look(now + 61_001, false);
    expect(started[0]!.signals).toEqual(['SIGKILL']);
    started[0]!.ends(null, 'SIGKILL');
    expect(started).toHaveLength(2);
  });

  it('waits longer and longer for one that ends before it is open, and says what one has said that never was', () => {
    const { started, told } = keeperOf();
    started[0]!.ends(1);
    expect(told).toEqual([['refused', 1]]);
    const again = keeperOf();
    open(again.started[0]);
    again.started[0]!.ends(1);
    for (const [index, pauseMs] of [250, 500, 1000].entries()) {
      again.started[index + 1]!.ends(1);
      vi.advanceTimersByTime(pauseMs - 1);
      expect(again.started).toHaveLength(index + 2);
      vi.advanceTimersByTime(1);
      expect(again.started).toHaveLength(index + 3);
    }
  });

  it('leaves last, and is exchanged without anybody being told that it failed', async () => {
    const { keeper, started, told } = keeperOf();
    open(started[0]);
    const restarted = keeper.restart();
    expect(started[0]!.heard).toEqual([{ kind: 'leave' }]);
    started[0]!.ends(0);
    open(started[1]);
    await restarted;
    keeper.leave();
    expect(started[1]!.heard).toEqual([{ kind: 'leave' }]);
    started[1]!.ends(0);
    expect(told).toEqual([['open', 'e'], ['open', 'e'], ['left']]);
    expect(started).toHaveLength(2);
  });
});
