import { decodeFrame, type Entry, FrameType, NoticeKind, readU32 } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ByteLog, type Cursor, type Retention } from '../../src/log/byte-log.js';
import type { ShownEntry } from '../../src/log/entry.js';
import { readHistory } from '../../src/log/history.js';
import { Room } from '../../src/room/room.js';
import { seeded } from '../support/seeded.js';

const HANDLE = 5;
const AMPLE: Retention = { maxBytes: 1 << 20, maxEntries: 10_000, maxAgeMs: 1000 };
const name = new TextEncoder().encode('ada');

function entry(seq: number, bodyBytes = 10, at = seq): ShownEntry {
  return {
    room: 'lobby',
    type: FrameType.Message,
    codec: 1,
    kind: 0,
    sender: 2,
    name,
    body: new Uint8Array(bodyBytes).fill(seq),
    at,
    publishId: 0,
    origin: undefined,
    seq,
  };
}

/** Reads on from a cursor, moving it, as a peer does. */
function read(log: ByteLog, cursor: Cursor): Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    const { chunk } = cursor;
    const slice = log.slice(chunk, cursor.offset).bytes;
    for (let at = 0; at < slice.length; at += readU32(slice, at))
      entries.push(decodeFrame(slice, at) as Entry);
    cursor.offset = chunk.used;
    if (!chunk.next) return entries;
    cursor.chunk = chunk.next;
    cursor.offset = 0;
  }
}

/** Bytes of the frame of an entry that is held. */
function frameBytes(log: ByteLog, seq: number): number {
  const { chunk, offset } = log.after(seq - 1)!;
  return readU32(chunk.bytes, offset);
}

const seqs = (entries: readonly Entry[]): number[] => entries.map(({ seq }) => seq);

describe('ByteLog', () => {
  it('lets entries be taken out: those that stay are found from any position, and a hole is seen where the others were', () => {
    const random = seeded(5);
    for (let round = 0; round < 200; round++) {
      const log = new ByteLog(HANDLE, { maxBytes: 2000, maxEntries: 1000, maxAgeMs: 1000 });
      const count = 1 + random.below(40);
      for (let seq = 1; seq <= count; seq++) log.append(entry(seq * 2, random.below(100)));
      const held = seqs(read(log, { ...log.oldest() }));
      const gone = new Set(held.filter(() => random.below(3) === 0));
      const kept = held.filter((seq) => !gone.has(seq));
      const bytes = log.bytes;
      expect(log.remove((frame) => gone.has((decodeFrame(frame, 0) as Entry).seq))).toBe(gone.size);
      expect(log.entries).toBe(kept.length);
      expect(log.bytes).toBe(kept.reduce((sum, seq) => sum + frameBytes(log, seq), 0));
      expect(log.bytes).toBeLessThanOrEqual(bytes);
      expect(log.lastSeq).toBe(count * 2);
      for (let after = held[0]! - 1; after <= count * 2 + 1; after++) {
        const point = log.after(after);
        const found = point && read(log, { ...point });
        if (found) expect(seqs(found)).toEqual(kept.filter((seq) => seq > after));
        else expect(after).toBeLessThan(log.oldest().start);
        // The position before it is still that of the entry that was said before it.
        for (const { seq, prev } of found ?? []) expect(prev).toBe(seq - 2);
      }
      expect(readHistory(log, { limit: 1000 }, 10_000).end).toBe(true);
      expect(readHistory(log, { after: kept.at(-1) ?? count * 2, limit: 10 }, 10_000).end).toBe(true);
      // It goes on behind the newest that there ever was.
      log.append(entry(count * 2 + 2));
      const [next] = read(log, { ...log.after(count * 2)! });
      expect(next).toMatchObject({ seq: count * 2 + 2, prev: count * 2 });
    }
  });

  it('costs no buffer and has no position while nothing was said', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    expect([log.bytes, log.entries, log.lastSeq, log.previousSeq]).toEqual([0, 0, 0, 0]);
    expect(log.end()).toEqual(log.oldest());
    expect(log.end().start).toBe(0);
    expect(log.end().chunk.bytes).toHaveLength(0);
    expect(read(log, { ...log.oldest() })).toEqual([]);
  });

  it('knows how many bytes a cursor has still to read, also past chunks that were dropped', () => {
    const log = new ByteLog(HANDLE, { maxBytes: 1000, maxEntries: 10_000, maxAgeMs: 1000 });
    const cursor: Cursor = { ...log.oldest() };
    expect(log.lagBytes(cursor)).toBe(0);
    log.append(entry(1));
    const frameBytes = log.bytes;
    expect(log.lagBytes(cursor)).toBe(frameBytes);
    read(log, cursor);
    expect(log.lagBytes(cursor)).toBe(0);
    for (let seq = 2; seq <= 101; seq++) log.append(entry(seq));
    expect(log.bytes).toBeLessThan(100 * frameBytes);
    expect(log.lagBytes(cursor)).toBe(100 * frameBytes);
    expect(log.lagBytes({ ...log.end() })).toBe(0);
  });

  it('gives each entry the position of the one before as its prev, and its handle', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    for (const seq of [3, 7, 8, 20]) log.append(entry(seq));
    const entries = read(log, { ...log.oldest() });
    expect(entries.map(({ seq, prev, room }) => [seq, prev, room])).toEqual([
      [3, 0, HANDLE],
      [7, 3, HANDLE],
      [8, 7, HANDLE],
      [20, 8, HANDLE],
    ]);
    expect([log.lastSeq, log.previousSeq, log.entries]).toEqual([20, 8, 4]);
  });

  it('knows how many entries are in the slice that it handed out', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    for (let seq = 1; seq <= 11; seq++) log.append(entry(seq));
    const { chunk } = log.oldest();
    const middle = log.before(4);
    for (const [offset, entries] of [
      [0, 11],
      [middle.offset, 4],
      [chunk.used, 0],
      [0, 11],
    ] as const) {
      expect(log.slice(chunk, offset).entries).toBe(entries);
    }
  });

  it('hands the same slice to all who stand at the same place', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    log.append(entry(1));
    const { chunk } = log.oldest();
    expect(log.slice(chunk, 0)).toBe(log.slice(chunk, 0));
    const before = log.slice(chunk, 0);
    log.append(entry(2));
    expect(log.slice(log.oldest().chunk, 0)).not.toBe(before);
  });

  it('never writes again into what it has handed out', () => {
    const log = new ByteLog(HANDLE, { ...AMPLE, maxBytes: 4096 });
    log.append(entry(1, 50));
    const slice = log.slice(log.oldest().chunk, 0).bytes;
    const copy = Buffer.from(slice);
    for (let seq = 2; seq < 500; seq++) log.append(entry(seq, 50));
    log.clear();
    expect(slice.equals(copy)).toBe(true);
  });

  it('keeps a cursor valid while it grows, and tells it when what it points at is gone', () => {
    const log = new ByteLog(HANDLE, { ...AMPLE, maxBytes: 4096 });
    log.append(entry(1, 50));
    const cursor = { ...log.oldest() };
    expect(seqs(read(log, cursor))).toEqual([1]);
    for (let seq = 2; seq <= 10; seq++) log.append(entry(seq, 50));
    expect(cursor.chunk.dropped).toBe(false);
    for (let seq = 11; seq < 300; seq++) log.append(entry(seq, 50));
    expect(cursor.chunk.dropped).toBe(true);
    expect(cursor.chunk.bytes).toHaveLength(0);
  });

  it.each([
    ['bytes', { maxBytes: 4096, maxEntries: 1e6, maxAgeMs: 1e9 }],
    ['entries', { maxBytes: 1e9, maxEntries: 37, maxAgeMs: 1e9 }],
    ['one entry', { maxBytes: 1e9, maxEntries: 1, maxAgeMs: 1e9 }],
  ] as const)('keeps its bound in %s, and most of what the bound allows', (_what, retention) => {
    const log = new ByteLog(HANDLE, retention);
    for (let seq = 1; seq <= 3000; seq++) {
      log.append(entry(seq, 20));
      expect(log.bytes).toBeLessThanOrEqual(retention.maxBytes);
      expect(log.entries).toBeLessThanOrEqual(retention.maxEntries);
    }
    const held = Math.min(retention.maxEntries, Math.floor(retention.maxBytes / (36 + 3 + 20)));
    expect(log.entries).toBeGreaterThanOrEqual(Math.max(1, Math.floor(held * 0.75)));
  });

  it('takes an entry larger than its chunks', () => {
    const log = new ByteLog(HANDLE, { ...AMPLE, maxBytes: 65_536 });
    log.append(entry(1, 60_000));
    log.append(entry(2, 60_000));
    expect(seqs(read(log, { ...log.oldest() }))).toEqual([2]);
  });

  it('drops what is too old in whole chunks, and nothing that is young enough', () => {
    const log = new ByteLog(HANDLE, { maxBytes: 4096, maxEntries: 16, maxAgeMs: 100 });
    for (let seq = 1; seq <= 16; seq++) log.append(entry(seq, 10, seq * 10));
    log.expire(190);
    const held = seqs(read(log, { ...log.oldest() }));
    expect(held).toContain(9);
    expect(held[0]).toBeGreaterThan(1);
    log.expire(10_000);
    expect([log.entries, log.bytes]).toEqual([0, 0]);
    expect(log.oldest().start).toBe(16);
    log.append(entry(17));
    expect(seqs(read(log, { ...log.oldest() }))).toEqual([17]);
  });

  it('sheds its oldest chunk but never its last', () => {
    const log = new ByteLog(HANDLE, { ...AMPLE, maxBytes: 8192 });
    for (let seq = 1; seq <= 100; seq++) log.append(entry(seq, 20));
    let freed = 0;
    for (let bytes = log.shed(); bytes > 0; bytes = log.shed()) freed += bytes;
    expect(freed).toBeGreaterThan(0);
    expect(log.entries).toBeGreaterThan(0);
    expect(log.shed()).toBe(0);
  });

  it('answers where to go on like an array of entries would', () => {
    const random = seeded(42);
    for (let round = 0; round < 60; round++) {
      const retention = {
        maxBytes: 4096 + random.below(8192),
        maxEntries: 1 + random.below(300),
        maxAgeMs: 1 + random.below(500),
      };
      const room = new Room('lobby', 'lobby', HANDLE, retention);
      const { log } = room;
      const all: { seq: number; prev: number }[] = [];
      let seq = 0;
      let now = 0;
      for (let step = 0; step < 200; step++) {
        now += random.below(4);
        const prev = seq;
        seq += 1 + random.below(3);
        all.push({ seq, prev });
        log.append(entry(seq, random.below(200), now));
        if (random.below(30) === 0) log.expire(now);
        if (random.below(10) > 0) continue;

        const held = seqs(read(log, { ...log.oldest() }));
        expect(held).toEqual(held.length === 0 ? [] : all.slice(-held.length).map((known) => known.seq));

        const after = random.below(seq + 3);
        const point = log.after(after);
        const wanted = all.filter((known) => known.seq > after).map((known) => known.seq);
        if (wanted.length > held.length) {
          expect(point).toBeUndefined();
        } else {
          expect(seqs(read(log, { ...point! }))).toEqual(wanted);
          expect(point!.start).toBe(all.filter((known) => known.seq <= after).at(-1)?.seq ?? 0);
          expect(log.positionOf(point!)).toBe(point!.start);
        }

        const upTo = random.below(seq + 3);
        const limit = 1 + random.below(50);
        const past = held.filter((known) => known <= upTo).slice(-limit);
        const before = log.before(limit, upTo);
        expect(seqs(read(log, { ...before }))).toEqual(
          held.filter((known) => known >= (past[0] ?? upTo + 1)),
        );

        const pieceBytes = 300 + random.below(1000);
        const page = readHistory(log, { before: upTo + 1, limit }, pieceBytes);
        expect(page.pieces.flatMap((piece) => seqs(decodeAll(piece)))).toEqual(past);
        for (const piece of page.pieces) expect(piece.length).toBeLessThanOrEqual(pieceBytes);
        expect(page.end).toBe(past.length === 0 ? true : past[0] === held[0]);

        const ahead = readHistory(log, { after, limit }, pieceBytes);
        const following = held.filter((known) => known > after).slice(0, limit);
        expect(ahead.pieces.flatMap((piece) => seqs(decodeAll(piece)))).toEqual(following);
        expect(ahead.end).toBe((following.at(-1) ?? seq) === seq);
      }
    }
  });

  it('lets go of everything when cleared', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    for (let seq = 1; seq <= 1000; seq++) log.append(entry(seq, 100));
    const cursor = { ...log.oldest() };
    log.clear();
    expect([log.bytes, log.entries]).toEqual([0, 0]);
    expect(cursor.chunk.dropped).toBe(true);
  });

  it('begins at its floor: what was before is not held, and a cursor that has read nothing stays where it was', () => {
    const log = new ByteLog(HANDLE, AMPLE, 40);
    expect(log.oldest().start).toBe(40);
    expect(log.after(39)).toBeUndefined();
    const cursor = { ...log.end() };
    expect([cursor.start, log.lastSeq, log.previousSeq]).toEqual([40, 40, 40]);
    log.append(entry(50));
    expect(log.positionOf(cursor)).toBe(40);
    expect(log.after(40)?.start).toBe(40);
    expect(log.oldest().start).toBe(40);
    expect(log.after(39)).toBeUndefined();
  });

  it('holds a notice as its reader sees it', () => {
    const log = new ByteLog(HANDLE, AMPLE);
    log.append({ ...entry(1, 0), type: FrameType.Notice, codec: 0, kind: NoticeKind.Joined });
    expect(read(log, { ...log.oldest() })).toMatchObject([
      { type: FrameType.Notice, kind: NoticeKind.Joined },
    ]);
  });
});

function decodeAll(bytes: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += readU32(bytes, at)) entries.push(decodeFrame(bytes, at) as Entry);
  return entries;
}
