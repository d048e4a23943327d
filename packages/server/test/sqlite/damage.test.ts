/** Bits that turn and ends that go missing: what is read is what was written, or is told as damaged. */
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { expect, it } from 'vitest';
import { ServerError } from '../../src/errors.js';
import { readRecords } from '../../src/log/block.js';
import { claim } from '../../src/log/claims.js';
import { ClaimKind, type Draft } from '../../src/log/entry.js';
import { StoreReader } from '../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../src/sqlite/store-writer.js';
import { draft } from '../support/event-log-contract.js';
import { seeded } from '../support/seeded.js';
import { blockOf } from '../support/sqlite/blocks.js';
import { dataFolder } from '../support/sqlite/folder.js';

const ROUNDS = Number(process.env.CHAT_STORE_FLIPS ?? 60);
const ROOMS = ['a', 'b', 'c'];
const FILES = ['chat.sqlite', 'chat.sqlite-wal', 'chat.tail'];
const name = (text: string) => new TextEncoder().encode(text);
const open = (directory: string) =>
  new StoreWriter({ directory, durability: 'disk', reserveBytes: 0, bootId: 'one' });

/** Writes a small chat. Answers what is said in each room, by position. */
function fill(writer: StoreWriter): Map<string, Map<number, string>> {
  const rooms = new Map(ROOMS.map((room) => [room, new Map<number, string>()]));
  let seq = 0;
  const write = (...drafts: Draft[]): void => {
    writer.write([blockOf(seq + 1, ...drafts)]);
    for (const { room, type, body } of drafts) {
      seq++;
      if (type !== 0) rooms.get(room)!.set(seq, Buffer.from(body).toString());
    }
  };
  write(
    claim(
      ClaimKind.SessionOpened,
      { name: name('ada'), at: 1 },
      { id: 'i', secretHash: 'h', isResumable: true },
    ),
    ...ROOMS.map((room) => claim(ClaimKind.RoomOpened, { room, name: name(room), at: 1 }, undefined)),
    ...ROOMS.map((room) =>
      draft(room, '', { type: FrameType.Notice, kind: NoticeKind.Joined, codec: 0, sender: 1, publishId: 0 }),
    ),
  );
  for (let i = 1; i <= 60; i++) {
    write(
      ...ROOMS.map((room, j) => draft(room, `text ${i} `.repeat(i), { sender: 1, publishId: 3 * i + j })),
    );
  }
  return rooms;
}

/** Opens what may be damaged. Answers why it cannot be opened, or nothing once all it says was true. */
function visit(directory: string, rooms: Map<string, Map<number, string>>, what: string): string | undefined {
  let writer: StoreWriter;
  try {
    writer = open(directory);
  } catch (error) {
    expect(ServerError.is(error) && error.code, `${what}: ${error}`).toBe('ERR_SERVER_STORE_CORRUPT');
    return (error as Error).message;
  }
  const { state, position, loss } = writer.opened;
  if (!loss || loss.storedPosition > 0) {
    expect(state.sessions[0], what).toMatchObject({ name: 'ada', secretHash: 'h' });
  }
  if (!loss) expect(state, what).toMatchObject({ position: 187, lastMember: 1, lastRoom: 3 });
  expect(position, what).toBeGreaterThanOrEqual(187);
  const reader = new StoreReader({ directory });
  try {
    for (const [room, expected] of rooms) {
      const { bytes, positions, damaged, end } = reader.read(room, { limit: 1e6, maxBytes: 1e9 });
      expect(end, what).toBe(true);
      const found = new Map(
        readRecords(bytes, positions).map(({ seq, body }) => [seq, Buffer.from(body).toString()]),
      );
      const newest = loss ? loss.storedPosition : Number.POSITIVE_INFINITY;
      for (const [seq, text] of expected) {
        const isTold = seq > newest || damaged.some(({ from, to }) => from <= seq && seq <= to);
        if (!isTold) expect(found.get(seq), `${what}, ${room} ${seq}`).toBe(text);
        else if (found.has(seq)) expect(found.get(seq), what).toBe(text);
      }
      for (const seq of found.keys()) expect(expected.has(seq), what).toBe(true);
    }
  } catch (error) {
    if (!ServerError.is(error)) throw error;
    expect(error.code, what).toBe('ERR_SERVER_STORE_CORRUPT');
  } finally {
    reader.close();
    writer.close();
  }
  return undefined;
}

/** A folder whose process was killed, with entries in the journal, and one that was closed. */
function folders() {
  const directory = dataFolder();
  const writer = open(directory);
  const rooms = fill(writer);
  const copy = (to: string) => {
    mkdirSync(join(directory, to));
    for (const file of FILES) {
      try {
        copyFileSync(join(directory, file), join(directory, to, file));
      } catch {
        // A folder that was closed has no journal.
      }
    }
    return join(directory, to);
  };
  const killed = copy('killed');
  writer.close();
  return { rooms, killed, closed: copy('closed') };
}

function damagedCopy(source: string, file: string, damage: (bytes: Buffer) => void): string {
  const directory = dataFolder();
  for (const each of FILES) {
    try {
      copyFileSync(join(source, each), join(directory, each));
    } catch {
      // As above.
    }
  }
  const bytes = readFileSync(join(source, file));
  damage(bytes);
  writeFileSync(join(directory, file), bytes);
  return directory;
}

it.each([
  ['the database', 'closed', 'chat.sqlite'],
  ['the journal', 'killed', 'chat.sqlite-wal'],
  ['the file beside', 'closed', 'chat.tail'],
] as const)(
  'a bit that turns in %s is noticed, or does no harm',
  (_, source, file) => {
    const all = folders();
    const random = seeded(7);
    const { length } = readFileSync(join(all[source], file));
    for (let round = 0; round < ROUNDS; round++) {
      const bit = random.below(length * 8);
      const directory = damagedCopy(all[source], file, (bytes) => {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      });
      visit(directory, all.rooms, `bit ${bit} of ${file}`);
    }
  },
  120_000,
);

it('a page that is lost is noticed', () => {
  const { rooms, closed } = folders();
  const pages = readFileSync(join(closed, 'chat.sqlite')).length / 4096;
  for (let page = 0; page < pages; page += 7) {
    const directory = damagedCopy(closed, 'chat.sqlite', (bytes) =>
      bytes.fill(0, page * 4096, (page + 1) * 4096),
    );
    visit(directory, rooms, `page ${page}`);
  }
}, 120_000);

it.each([0.1, 0.5, 0.99])('a database that was cut at %d is refused', (part) => {
  const { rooms, closed } = folders();
  const directory = damagedCopy(closed, 'chat.sqlite', () => undefined);
  const path = join(directory, 'chat.sqlite');
  truncateSync(path, Math.floor(readFileSync(path).length * part));
  expect(visit(directory, rooms, 'cut')).toMatch(/cut|malformed|damaged/);
});

it.each([0, 0.3, 0.8])('a journal that was cut at %d is a lost tail: a new epoch, and told', (part) => {
  const { killed } = folders();
  const directory = damagedCopy(killed, 'chat.sqlite-wal', () => undefined);
  const path = join(directory, 'chat.sqlite-wal');
  truncateSync(path, Math.floor(readFileSync(path).length * part));
  const writer = open(directory);
  expect(writer.opened.loss?.reason).toMatch(
    /^the database (is empty|ends at position \d+), and position 187 had been stored$/,
  );
  expect(writer.opened.position).toBe(187);
  writer.close();
});
