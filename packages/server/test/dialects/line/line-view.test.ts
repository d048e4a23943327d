import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { LineView } from '../../../src/dialects/line/line-view.js';
import { ByteLog } from '../../../src/log/byte-log.js';
import { LineCharset } from '../../../src/options/line-charset.js';
import { seeded } from '../../support/seeded.js';

const encoder = new TextEncoder();

function logOf(entries: readonly (readonly [sender: number, text: string])[]): ByteLog {
  const log = new ByteLog(1, { maxBytes: 1 << 26, maxEntries: 1 << 20, maxAgeMs: 1 });
  for (const [i, [sender, text]] of entries.entries()) {
    log.append({
      room: 'lobby',
      type: text === '' ? FrameType.Notice : FrameType.Message,
      codec: text === '' ? 0 : 1,
      kind: text === '' ? NoticeKind.Joined : 0,
      sender,
      name: encoder.encode(`m${sender}`),
      body: encoder.encode(text),
      at: 0,
      publishId: 0,
      origin: undefined,
      seq: i + 1,
    });
  }
  return log;
}

/** All that a reader is sent, piece by piece. */
function read(view: LineView, log: ByteLog, reader: number, charset?: LineCharset): Buffer[] {
  const bytes: Buffer[] = [];
  for (let { chunk, offset } = log.oldest(); ; ) {
    if (offset < chunk.used) {
      const piece = view.piece(chunk, offset, reader);
      bytes.push(piece.bytesFor(reader, charset));
      offset = piece.to;
    } else if (chunk.next) {
      chunk = chunk.next;
      offset = 0;
    } else {
      return bytes;
    }
  }
}

describe('LineView', () => {
  it('shows everybody everything but its own, in its charset', () => {
    const random = seeded(7);
    const texts = ['hi', 'שלום', 'one\ntwo', '', 'a\u0007b', 'x'.repeat(300)];
    const entries = Array.from(
      { length: 500 },
      () => [1 + random.below(4), texts[random.below(texts.length)]!] as const,
    );
    const log = logOf(entries);
    const view = new LineView(100);
    const hebrew = new LineCharset('windows-1255');
    // Several times: what many read is read in another way.
    for (const reader of Array.from({ length: 4 }, () => [1, 2, 3, 4, 99]).flat()) {
      const expected = entries
        .filter(([sender]) => sender !== reader)
        .map(([sender, text]) => {
          if (text === '') return `*** m${sender} has joined the chat\n`;
          return `${text
            .replace('\u0007', '\uFFFD')
            .split('\n')
            .map((line) => `m${sender}: ${line}\n`)
            .join('')}`;
        })
        .join('');
      expect(Buffer.concat(read(view, log, reader)).toString()).toBe(expected);
      expect(hebrew.decode(Buffer.concat(read(view, log, reader, hebrew)))).toBe(
        expected.replaceAll('\uFFFD', '?'),
      );
    }
  });

  it('has the same bytes for all who are at the same place, in bounded pieces', () => {
    const log = logOf(Array.from({ length: 2000 }, (_, i) => [1 + (i % 2), 'x'.repeat(100)] as const));
    const view = new LineView(100);
    const [first, second] = [read(view, log, 8), read(view, log, 9)];
    expect(first.length).toBeGreaterThan(2);
    expect(second).toHaveLength(first.length);
    for (const [i, bytes] of first.entries()) {
      expect(second[i]).toBe(bytes);
      expect(bytes.length).toBeLessThan(66_000);
    }
    // One who spoke is given the others' bytes, which nobody decodes for it.
    expect(Buffer.concat(read(view, log, 2)).toString()).toBe(`m1: ${'x'.repeat(100)}\n`.repeat(1000));
  });

  it('keeps nothing for a newcomer, which begins where nobody else does', () => {
    const log = logOf([
      [5, ''],
      [1, 'hi'],
    ]);
    const view = new LineView(100);
    const { chunk, offset } = log.oldest();
    const own = view.piece(chunk, offset, 5);
    expect(own.bytesFor(5, undefined).toString()).toBe('m1: hi\n');
    expect(view.piece(chunk, offset, 5)).not.toBe(own);
    expect(view.piece(chunk, offset, 1)).toBe(view.piece(chunk, offset, 2));
  });

  it('goes on behind a piece that was made before more came', () => {
    const log = logOf([[1, 'one']]);
    const view = new LineView(100);
    const { chunk, offset } = log.oldest();
    expect(view.piece(chunk, offset, 9).entries).toBe(1);
    log.append({
      ...{ room: 'lobby', type: FrameType.Message, codec: 1, kind: 0, sender: 1, name: encoder.encode('m1') },
      ...{ body: encoder.encode('two'), at: 0, publishId: 0, origin: undefined, seq: 2 },
    });
    expect(Buffer.concat(read(view, log, 9)).toString()).toBe('m1: one\nm1: two\n');
  });

  it('does not let a text of line ends grow', () => {
    const log = logOf([
      [1, '\n'.repeat(65_000)],
      [1, 'a\n'.repeat(32_000)],
      [1, '\u0001'.repeat(65_000)],
    ]);
    const bytes = Buffer.concat(read(new LineView(100), log, 9));
    expect(bytes.length).toBeLessThan(200_000);
    expect(bytes.toString()).toContain('m1: … 31,901 more lines\n');
  });
});
