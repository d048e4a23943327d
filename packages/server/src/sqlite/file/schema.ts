/**
 * The tables of the stored file, and how older ones become these.
 *
 * What counts is in `block`: entries as they were written, in runs (see `log/block.ts`). Everything else says where
 * something is (`part`, `stream`), how much there is (`total`), or what the entries came to. `docs/storage.md` explains it
 * to people who open the file with a program of their own; the view `entry` is there for them only.
 */
import { RECORD_HEADER_BYTES } from '../../log/block.js';

/** "CHAT" in the header of the file: `file` and SQLite's own tools show it. */
export const APPLICATION_ID = 0x43484154;
/** Version of the tables below. */
export const SCHEMA_VERSION = 6;

const VERSION_1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  -- One row: how far the log goes, and what it holds.
  CREATE TABLE total (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  );
  INSERT INTO total VALUES (1, 0, 0, 0);
  -- What the entries come to: who is here, in which rooms, and who is banned. crc is the CRC-32 of the row as JSON.
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_member INTEGER NOT NULL,
    last_room INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE TABLE session (
    member INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    client_hash TEXT,
    account TEXT,
    resumable INTEGER NOT NULL,
    last_publish INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE TABLE room (handle INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE member (
    room INTEGER NOT NULL,
    member INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (room, member)
  ) WITHOUT ROWID;
  -- until: milliseconds since 1970, NULL for ever.
  CREATE TABLE ban (key TEXT PRIMARY KEY, until INTEGER, crc INTEGER NOT NULL) WITHOUT ROWID;
  -- Entries first to last in the order of the log; crc is the CRC-32 of "first last at " and the bytes.
  CREATE TABLE block (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    at INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
  -- What entries belong to: a room, the inbox of a member, or the server itself. cut: up to there entries were removed.
  CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    cut INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, name)
  );
  -- Which entries of a stream are in which block; previous: position of the one before them in the stream.
  CREATE TABLE part (
    stream INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (stream, first)
  ) WITHOUT ROWID;
  -- Removals that have begun: of a stream, of a member's name, or of that name in that stream. reached: up to there it is done.
  CREATE TABLE removal (
    id INTEGER PRIMARY KEY,
    stream INTEGER,
    name TEXT,
    up_to INTEGER NOT NULL,
    reached INTEGER NOT NULL DEFAULT 0
  );
  ${entryView()}
`;

/** Removals of what a member said, by its id; sessions that were ended on purpose. banned: a JSON array of keys of `ban`. until: milliseconds since 1970. */
const VERSION_2 = `
  ALTER TABLE removal ADD COLUMN member INTEGER;
  CREATE TABLE kick (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    client_hash TEXT,
    code INTEGER NOT NULL,
    reason TEXT NOT NULL,
    banned TEXT NOT NULL,
    until INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
`;

/**
 * Where several processes share the log: which of them are here since which position, and the number and the position of the
 * block that each sent last; which of them holds which session, or since when none does. place: JSON.
 */
const OF_PROCESSES = `
  CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    came INTEGER,
    number INTEGER NOT NULL,
    block INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE TABLE holding (
    member INTEGER PRIMARY KEY,
    holder INTEGER,
    unheld_since INTEGER,
    place TEXT,
    crc INTEGER NOT NULL
  );
`;

/**
 * What was decided about the server and its rooms: roles, mutes and bans, and how a room is. scope: key of a room, empty for
 * the whole server. key: the person who has a role, or the position at which a mute or ban was imposed. value: JSON.
 */
const OF_RULES = `
  CREATE TABLE rule (
    scope TEXT NOT NULL,
    what TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (scope, what, key)
  ) WITHOUT ROWID;
`;

/** Records say which session of a user an entry is of, where former versions read a larger kind: `log/block.ts`. */
const OF_DEVICES = `DROP VIEW IF EXISTS entry; ${entryView()}`;

/**
 * How far users with an account have read: place is the key of a room, or `@` and the name of the other for direct messages;
 * position that of the newest message that was read, changed that of the entry that said so.
 */
const OF_READERS = `
  CREATE TABLE reading (
    account TEXT NOT NULL,
    place TEXT NOT NULL,
    position INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (account, place)
  ) WITHOUT ROWID;
`;

/** Statements that bring a file from the version before; the first makes a new file. */
export const MIGRATIONS: readonly string[] = [
  VERSION_1,
  VERSION_2,
  OF_PROCESSES,
  OF_RULES,
  OF_DEVICES,
  OF_READERS,
];

/** Reads records in SQL, so that `sqlite3 chat.sqlite 'SELECT * FROM entry'` shows what was said. Nothing here uses it. */
function entryView(): string {
  const number = (offset: number, bytes: number) =>
    `(${Array.from({ length: bytes * 2 }, (_, digit) => {
      const place = `substr(hex(substr(bytes, start + ${offset + 1}, ${bytes})), ${digit + 1}, 1)`;
      return `((instr('0123456789ABCDEF', ${place}) - 1) << ${(bytes * 2 - 1 - digit) * 4})`;
    }).join(' + ')})`;
  const room = RECORD_HEADER_BYTES;
  return `CREATE VIEW entry AS
    WITH RECURSIVE record (first, start, size) AS (
      SELECT first, 0, length(bytes) FROM block WHERE length(bytes) > 0
      UNION ALL
      SELECT record.first, start + ${number(0, 4)}, size
      FROM record JOIN block ON block.first = record.first
      WHERE start + ${number(0, 4)} < size
    ),
    field AS (
      SELECT record.first, start, bytes, ${number(0, 4)} AS length, ${number(4, 4)} AS place,
        ${number(8, 1)} & 127 AS type, ${number(8, 1)} >> 7 AS void, ${number(9, 1)} AS codec, ${number(10, 1)} AS device, ${number(11, 1)} AS kind,
        ${number(12, 4)} AS sender,
        ${number(16, 4)} AS publish_id, ${number(20, 6)} AS time,
        ${number(26, 2)} AS room_bytes, ${number(28, 2)} AS name_bytes
      FROM record JOIN block ON block.first = record.first
    )
    SELECT first + place AS seq,
      strftime('%Y-%m-%d %H:%M:%f', time / 1000.0, 'unixepoch') AS at,
      CASE type WHEN 17 THEN 'message' WHEN 18 THEN 'notice' ELSE 'claim' END AS type,
      CASE hex(substr(bytes, start + ${room + 1}, 1))
        WHEN '00' THEN 'inbox of ' || CAST(substr(bytes, start + ${room + 2}, room_bytes - 1) AS TEXT)
        ELSE CAST(substr(bytes, start + ${room + 1}, room_bytes) AS TEXT) END AS room,
      CAST(substr(bytes, start + ${room + 1} + room_bytes, name_bytes) AS TEXT) AS name,
      CAST(substr(bytes, start + ${room + 1} + room_bytes + name_bytes, length - ${room} - room_bytes - name_bytes)
        AS TEXT) AS body,
      sender, device, publish_id, codec, kind, void
    FROM field;`;
}
