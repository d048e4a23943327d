import { randomBytes } from 'node:crypto';
import type { BlockSnapshot } from '@chat/server';
import type { NatsRelayReceiver } from '@chat/server/nats';
import { type Log, openLog } from '@chat/shm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeRecord, handedOnIn } from '../../../src/workers/carrier/stream-record.js';
import type { FromCarrier } from '../../../src/workers/messages.js';
import { BlockRelay, type Upstream } from '../../../src/workers/nats/block-relay.js';

const CAPACITY_BYTES = 65_536;
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** The stream of many machines, in the heap. */
class FakeStream {
  readonly blocks: string[] = [];
  readonly sent: string[] = [];

  /** One process that speaks with it, which reads behind the snapshot it is given or from the first block on. */
  upstream(after = 0, snapshot?: BlockSnapshot) {
    let read = snapshot?.position ?? 0;
    let receiver: NatsRelayReceiver | undefined;
    const spokenFor: (readonly number[])[] = [];
    const pump = (): void => {
      for (; receiver && read < this.blocks.length; ) {
        const position = ++read;
        // As the one of the library, which reads again what was handed on before.
        if (position > after) receiver.block(position, bytesOf(this.blocks[position - 1]!));
      }
    };
    const upstream: Upstream = {
      epoch: 'epoch',
      snapshot,
      start: (given) => {
        receiver = given;
        pump();
      },
      speakFor: (processes) => void spokenFor.push(processes),
      send: (block) => void this.sent.push(Buffer.from(block).toString()),
      close: async () => {},
    };
    return { upstream, pump, spokenFor, receiver: () => receiver! };
  }
}

/** The two logs of a machine, and what a worker reads. */
function machine() {
  const open = (name = `test-${process.pid}-${randomBytes(6).toString('hex')}`): Log => {
    const log = openLog(name, { capacityBytes: CAPACITY_BYTES });
    onTestFinished(() => {
      log.unlink();
      log.close();
    });
    return log;
  };
  const [stream, wanted] = [open(), open()];
  const told: FromCarrier[] = [];
  const failures: string[] = [];
  const reader = stream.reader({ start: 'next' });
  return {
    stream,
    wanted,
    told,
    failures,
    relay: (upstream: Upstream, goesOn: boolean) =>
      new BlockRelay(upstream, {
        // Handles of its own, as a process has.
        ...{ stream: open(stream.name), wanted: open(wanted.name), goesOn },
        tell: (message) => told.push(message),
        onFailed: (reason) => failures.push(reason),
      }),
    /** What was appended since the last call. */
    read(): unknown[] {
      const records: unknown[] = [];
      reader.read((bytes, start, end) => {
        const record = decodeRecord(bytes.subarray(start, end));
        records.push(
          record.kind === 'block' ? `${record.position} ${Buffer.from(record.bytes)}` : { ...record },
        );
      });
      return records;
    },
  };
}

const snapshotAt = (position: number): BlockSnapshot => ({ position }) as BlockSnapshot;

describe('BlockRelay', () => {
  it('hands nothing on before a worker reads, and tells it what came before', () => {
    const shared = new FakeStream();
    shared.blocks.push('a', 'b', 'c');
    const here = machine();
    const { upstream } = shared.upstream(0, snapshotAt(2));
    const relay = here.relay(upstream, false);
    expect(here.read()).toEqual([]);
    relay.obey({ kind: 'snapshot-wanted', by: 7 });
    expect(here.told).toEqual([{ kind: 'snapshot', by: 7, snapshot: { position: 2 } }]);
    expect(here.read()).toEqual([{ kind: 'begins', position: 2 }, '3 c']);
    // Whoever comes later would miss what was handed on by then.
    relay.obey({ kind: 'snapshot-wanted', by: 8 });
    expect(here.told).toHaveLength(1);
  });

  it('sends what workers want, in their order, and hands on what comes, in that of the stream', async () => {
    const shared = new FakeStream();
    const here = machine();
    const { upstream, pump } = shared.upstream();
    const relay = here.relay(upstream, false);
    relay.obey({ kind: 'snapshot-wanted', by: 7 });
    const run = relay.run();
    for (const text of ['one', 'two', 'three']) await here.wanted.append(bytesOf(text));
    while (shared.sent.length < 3) await new Promise(setImmediate);
    expect(shared.sent).toEqual(['one', 'two', 'three']);
    shared.blocks.push('of another machine', 'one', 'one', 'two');
    pump();
    expect(here.read().slice(1)).toEqual(['1 of another machine', '2 one', '3 one', '4 two']);
    relay.obey({ kind: 'leave' });
    await run;
  });

  it('goes on behind what was handed on, wherever the process before was killed: nothing twice, nothing left out', () => {
    for (let killedAfter = 0; killedAfter <= 4; killedAfter++) {
      const shared = new FakeStream();
      const here = machine();
      const first = shared.upstream();
      here.relay(first.upstream, false).obey({ kind: 'snapshot-wanted', by: 7 });
      shared.blocks.push(...['a', 'b', 'c', 'd'].slice(0, killedAfter));
      first.pump();
      // Killed here. What the stream takes meanwhile, the next one finds there.
      shared.blocks.push(...['a', 'b', 'c', 'd'].slice(killedAfter), 'e');
      const handedOn = handedOnIn(here.stream);
      expect(handedOn).toBe(killedAfter);
      const second = shared.upstream(handedOn);
      here.relay(second.upstream, true);
      const blocks = here.read().filter((record) => typeof record === 'string');
      expect(blocks).toEqual(['1 a', '2 b', '3 c', '4 d', '5 e']);
    }
  });

  it('has workers send again what another process may have read and not sent, once it reads itself', async () => {
    const shared = new FakeStream();
    const here = machine();
    // The worker before it was killed had this from a process that is gone.
    await here.wanted.append(bytesOf('read and not sent'));
    const relay = here.relay(shared.upstream().upstream, true);
    expect(here.read()).toEqual([{ kind: 'condition', condition: { state: 'open' } }, { kind: 'resend' }]);
    const run = relay.run();
    await here.wanted.append(bytesOf('sent again'));
    while (shared.sent.length === 0) await new Promise(setImmediate);
    expect(shared.sent).toEqual(['sent again']);
    relay.obey({ kind: 'leave' });
    await run;
  });

  it('knows where the first worker began, though nothing was handed on since', () => {
    const here = machine();
    expect(handedOnIn(here.stream)).toBeUndefined();
    here.relay(new FakeStream().upstream(0, snapshotAt(40)).upstream, false).obey({
      kind: 'snapshot-wanted',
      by: 7,
    });
    expect(handedOnIn(here.stream)).toBe(40);
  });

  it('asks one worker for a snapshot at a place of the log, and waits for nobody who is gone', async () => {
    const here = machine();
    const { upstream, receiver, spokenFor } = new FakeStream().upstream();
    const relay = here.relay(upstream, false);
    relay.obey({ kind: 'snapshot-wanted', by: 7 });
    relay.obey({ kind: 'processes', processes: [7, 8] });
    receiver().block(1, bytesOf('a'));
    const made = receiver().snapshot(7);
    receiver().block(2, bytesOf('b'));
    expect(here.read().slice(1)).toEqual(['1 a', { kind: 'snapshot', process: 7 }, '2 b']);
    relay.obey({ kind: 'snapshot-made', process: 8, snapshot: snapshotAt(9) });
    relay.obey({ kind: 'snapshot-made', process: 7, snapshot: snapshotAt(1) });
    expect(await made).toEqual({ position: 1 });
    const never = receiver().snapshot(7);
    relay.obey({ kind: 'processes', processes: [8] });
    expect(await never).toBeUndefined();
    expect(spokenFor).toEqual([[7, 8], [8]]);
  });

  it('tells workers of the condition of the stream, and hands nothing on behind a failure', () => {
    const here = machine();
    const { upstream, receiver } = new FakeStream().upstream();
    const relay = here.relay(upstream, false);
    relay.obey({ kind: 'snapshot-wanted', by: 7 });
    receiver().condition({ state: 'stalled', reason: 'NATS is not reached' });
    expect(relay.isOpen).toBe(false);
    receiver().condition({ state: 'open' });
    expect(relay.isOpen).toBe(true);
    receiver().condition({ state: 'failed', reason: 'is lost' });
    receiver().block(1, bytesOf('of another life'));
    receiver().gone(5);
    expect(here.read().slice(1)).toEqual([
      { kind: 'condition', condition: { state: 'stalled', reason: 'NATS is not reached' } },
      { kind: 'condition', condition: { state: 'open' } },
      { kind: 'condition', condition: { state: 'failed', reason: 'is lost' } },
    ]);
    expect(here.failures).toEqual(['is lost']);
    expect(here.told.slice(1)).toEqual([{ kind: 'gone', process: 5 }]);
  });

  it('keeps the order where a worker is slow, and gives up rather than leave a block out', async () => {
    const here = machine();
    const slow = here.stream.reader({ start: 'next', reliable: true });
    const { upstream, receiver } = new FakeStream().upstream();
    here.relay(upstream, false).obey({ kind: 'snapshot-wanted', by: 7 });
    const positions: number[] = [];
    const COUNT = 40;
    for (let position = 1; position <= COUNT; position++) receiver().block(position, new Uint8Array(4096));
    // More than the log holds: the rest waits.
    while (positions.length < COUNT) {
      slow.read((bytes, start, end) => {
        const record = decodeRecord(bytes.subarray(start, end));
        if (record.kind === 'block') positions.push(record.position);
      });
      await new Promise(setImmediate);
    }
    expect(positions).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    receiver().block(COUNT + 1, new Uint8Array(CAPACITY_BYTES * 2));
    expect(here.failures).toHaveLength(1);
    receiver().block(COUNT + 2, bytesOf('x'));
    expect(handedOnIn(here.stream)).toBe(COUNT);
  });
});
