/** What every `BlockTransport` must do, whatever brings the blocks. */
import { describe, expect, it } from 'vitest';
import { createBlockLog } from '../../src/log/shared/block-log.js';
import type { BlockTransport } from '../../src/log/shared/block-transport.js';
import { describeEventLog } from './event-log-contract.js';
import { until } from './turn.js';

/** One stream that several processes share. */
export interface TestStream {
  /** One more end of it, which reads from the first block on. */
  transport(): BlockTransport | Promise<BlockTransport>;
  close?(): void | Promise<void>;
}

interface End {
  readonly transport: BlockTransport;
  readonly epoch: string;
  readonly got: { readonly position: number; readonly bytes: string }[];
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** @param create a new stream each time */
export function describeBlockTransport(what: string, create: () => TestStream | Promise<TestStream>): void {
  describe(`${what} as a BlockTransport`, () => {
    async function open(stream: TestStream): Promise<End> {
      const transport = await stream.transport();
      const { epoch } = await transport.open();
      const end: End = { transport, epoch, got: [] };
      transport.start({
        block: (position, bytes) => end.got.push({ position, bytes: textOf(bytes) }),
        resend: () => {},
        refused: () => {},
        condition: () => {},
      });
      return end;
    }

    /** Sends texts one after the other, as a log does: the next once the last has come back. */
    async function sendAll({ transport, got }: End, texts: readonly string[]): Promise<void> {
      for (const text of texts) {
        transport.send(bytesOf(text));
        await until(() => got.some(({ bytes }) => bytes === text));
      }
    }

    it('brings every block to every process, in one order, at the same positions', async () => {
      const stream = await create();
      const ends = [await open(stream), await open(stream), await open(stream)];
      const texts = ends.map((_, of) => Array.from({ length: 40 }, (_, i) => `${of} says ${i}`));
      await Promise.all(ends.map((end, of) => sendAll(end, texts[of]!)));
      await until(() => ends.every(({ got }) => got.length >= 120));
      expect(ends[1]!.got).toEqual(ends[0]!.got);
      expect(ends[2]!.got).toEqual(ends[0]!.got);
      for (const [of, own] of texts.entries()) {
        const inOrder = ends[0]!.got.map(({ bytes }) => bytes).filter((text) => text.startsWith(`${of} `));
        expect(inOrder).toEqual(own);
      }
      for (const { transport } of ends) await transport.close();
      await stream.close?.();
    });

    it('has positions from 1 on that rise, and an epoch that all know', async () => {
      const stream = await create();
      const [one, other] = [await open(stream), await open(stream)];
      await sendAll(one, ['a', 'b']);
      await sendAll(other, ['c']);
      await until(() => one.got.length === 3);
      const positions = one.got.map(({ position }) => position);
      expect(positions[0]).toBeGreaterThanOrEqual(1);
      expect(positions.toSorted((left, right) => left - right)).toEqual(positions);
      expect(new Set(positions).size).toBe(3);
      expect(positions[2]).toBeLessThan(2 ** 38);
      expect(one.epoch).not.toBe('');
      expect(other.epoch).toBe(one.epoch);
      for (const { transport } of [one, other]) await transport.close();
      await stream.close?.();
    });

    it('carries any bytes, up to a block with the largest message', async () => {
      const stream = await create();
      const end = await open(stream);
      const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
      const large = all.repeat(4096) + all;
      await sendAll(end, [all, '\u0000', large, 'x']);
      expect(end.got.map(({ bytes }) => bytes.length)).toEqual([256, 1, large.length, 1]);
      expect(end.got[2]!.bytes === large).toBe(true);
      await end.transport.close();
      await stream.close?.();
    });

    it('takes a block from within a delivery', async () => {
      const stream = await create();
      const transport = await stream.transport();
      await transport.open();
      const got: string[] = [];
      transport.start({
        block: (_position, bytes) => {
          got.push(textOf(bytes));
          if (got.length < 5) transport.send(bytesOf(`block ${got.length}`));
        },
        resend: () => {},
        refused: () => {},
        condition: () => {},
      });
      transport.send(bytesOf('block 0'));
      await until(() => got.length === 5);
      expect(got).toEqual([0, 1, 2, 3, 4].map((i) => `block ${i}`));
      await transport.close();
      await stream.close?.();
    });

    it('delivers nothing any more once it is closed, and others go on', async () => {
      const stream = await create();
      const [one, other] = [await open(stream), await open(stream)];
      await sendAll(one, ['before']);
      await until(() => other.got.length === 1);
      await one.transport.close();
      await sendAll(other, ['behind']);
      expect(one.got.map(({ bytes }) => bytes)).toEqual(['before']);
      await other.transport.close();
      await stream.close?.();
    });
  });

  describeEventLog(`a log over ${what}`, async () => createBlockLog(await (await create()).transport()));
}
