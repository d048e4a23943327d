/** What every {@link EventLog} must do, whatever it is made of. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { CLAIM, ClaimKind, type Draft, type LogEntry } from '../../src/log/entry.js';
import type { EventLog } from '../../src/log/event-log.js';
import { until } from './turn.js';

export function draft(room: string, text: string, more: Partial<Draft> = {}): Draft {
  return {
    room,
    type: FrameType.Message,
    codec: 1,
    kind: 0,
    sender: 2,
    name: new TextEncoder().encode('ada'),
    body: new TextEncoder().encode(text),
    at: 1_700_000_000_000,
    publishId: 1,
    origin: undefined,
    ...more,
  };
}

/** What stays of an entry when the call that delivered it is over. */
interface Kept {
  readonly seq: number;
  readonly room: string;
  readonly text: string;
  readonly name: string;
  readonly publishId: number;
  readonly at: number;
}

const keep = ({ seq, room, body, name, publishId, at }: LogEntry): Kept => ({
  seq,
  room,
  text: new TextDecoder().decode(body),
  name: new TextDecoder().decode(name),
  publishId,
  at,
});

/** Opens a log as a server does; claims of the log itself are taken as such, and left out. */
async function open(log: EventLog, take: (entry: LogEntry) => void): Promise<void> {
  await log.open((entries, from = 0) => {
    for (const entry of entries) {
      if (entry.type !== CLAIM) take(entry);
      else if (entry.kind === ClaimKind.ProcessCame) {
        entry.origin?.appended(entry, { kind: 'process-came', process: from });
      } else entry.origin?.appended(entry, { kind: 'void', reason: 'unknown-claim' });
    }
  });
  await log.start?.();
}

/** @param create a new log each time; a log that several share answers one end of it */
export function describeEventLog(what: string, create: () => EventLog | Promise<EventLog>): void {
  describe(`${what} as an EventLog`, () => {
    async function opened(): Promise<{ log: EventLog; kept: Kept[] }> {
      const log = await create();
      const kept: Kept[] = [];
      await open(log, (entry) => kept.push(keep(entry)));
      return { log, kept };
    }

    it('delivers every draft once, in the order of appending, each at a higher position', async () => {
      const { log, kept } = await opened();
      const texts = Array.from({ length: 1000 }, (_, i) => `text ${i}`);
      texts.forEach((text, i) => {
        log.append(draft(`room ${i % 3}`, text, { publishId: i + 1 }));
      });
      await until(() => kept.length >= texts.length);
      expect(kept.map(({ text }) => text)).toEqual(texts);
      expect(kept.map(({ publishId }) => publishId)).toEqual(texts.map((_, i) => i + 1));
      expect(kept[0]!.seq).toBeGreaterThanOrEqual(1);
      for (let i = 1; i < kept.length; i++) expect(kept[i]!.seq).toBeGreaterThan(kept[i - 1]!.seq);
      await log.close();
    });

    it('carries every field, for bodies of any size and names of any script', async () => {
      const { log, kept } = await opened();
      const body = 'x'.repeat(60_000);
      log.append(draft('🎈', body, { name: new TextEncoder().encode('مريم 🎈'), at: 2 ** 48 - 1 }));
      // An inbox, of somebody who is not here: a log may keep no more of it than that it was.
      log.append(draft('\u00007', ''));
      await until(() => kept.length === 2);
      expect(kept[0]).toMatchObject({ room: '🎈', text: body, name: 'مريم 🎈', at: 2 ** 48 - 1 });
      expect(kept[1]).toMatchObject({ room: '\u00007', text: '' });
      await log.close();
    });

    it('lets the body be written again as soon as append returns', async () => {
      const { log, kept } = await opened();
      const body = new TextEncoder().encode('before');
      log.append(draft('lobby', '', { body }));
      body.fill(0x78);
      await until(() => kept.length === 1);
      expect(kept[0]!.text).toBe('before');
      await log.close();
    });

    it('hands the origin back to the process that appended', async () => {
      const log = await create();
      const told: number[] = [];
      const origin = { appended: (entry: LogEntry) => void told.push(entry.seq), refused: () => {} };
      await open(log, (entry) => entry.origin?.appended(entry, { kind: 'shown' }));
      log.append(draft('lobby', 'one', { origin }));
      log.append(draft('lobby', 'two'));
      log.append(draft('lobby', 'three', { origin }));
      await until(() => told.length === 2);
      expect(told[1]! - told[0]!).toBeGreaterThanOrEqual(2);
      await log.close();
    });

    it('takes an append from within a delivery, behind what is being delivered', async () => {
      const log = await create();
      const texts: string[] = [];
      await open(log, (entry) => {
        const { text } = keep(entry);
        texts.push(text);
        if (text === 'first') log.append(draft('lobby', 'second'));
      });
      log.append(draft('lobby', 'first'));
      await until(() => texts.length === 2);
      expect(texts).toEqual(['first', 'second']);
      await log.close();
    });

    it('has an epoch of its own', async () => {
      const [one, other] = [(await opened()).log, (await opened()).log];
      expect(one.epoch).not.toBe('');
      expect(one.epoch).toBe(one.epoch);
      expect(typeof other.epoch).toBe('string');
      await one.close();
      await other.close();
    });

    it('delivers nothing any more once it is closed, and may be closed twice', async () => {
      const { log, kept } = await opened();
      await log.close();
      await log.close();
      log.append(draft('lobby', 'too late'));
      expect(kept).toEqual([]);
    });
  });
}
