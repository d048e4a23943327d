/** Files of every version that was released, brought forward; and what leaves them as they are. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloseCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, inboxKey } from '../../../src/log/entry.js';
import { findDriver } from '../../../src/sqlite/driver.js';
import { SCHEMA_VERSION } from '../../../src/sqlite/file/schema.js';
import { StoreReader } from '../../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { backupStore } from '../../../src/sqlite/tools/backup.js';
import { checkStore } from '../../../src/sqlite/tools/check.js';
import { exportStore } from '../../../src/sqlite/tools/transfer.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { folderOf, OLD_STORES } from '../../support/sqlite/old-store.js';
import { readRoom } from '../../support/sqlite/read-room.js';

const AT = 1_700_000_000_000;
const CHILD = fileURLToPath(new URL('../../support/sqlite/migrating-child.ts', import.meta.url));
const open = (directory: string) => new StoreWriter({ directory, durability: 'process', reserveBytes: 0 });

function query(directory: string, sql: string): unknown[] {
  const database = findDriver().open(join(directory, 'chat.sqlite'));
  try {
    return Object.values(database.prepare(sql).get() ?? {}).filter((value) => typeof value !== 'object');
  } finally {
    database.close();
  }
}

const versionOf = (directory: string): unknown => query(directory, 'PRAGMA user_version')[0];

/** What version 1 had is here. */
function expectAllThere(directory: string): void {
  const writer = open(directory);
  expect(writer.opened).toMatchObject({ ...OLD_STORES[1], loss: undefined });
  const { sessions, rooms, bans, kicks } = writer.opened.state;
  expect(
    sessions.map(({ memberId, name, account, lastPublish }) => [memberId, name, account, lastPublish]),
  ).toEqual([
    [1, 'grace', undefined, 2],
    [2, 'bob', 'bob@example', 1],
  ]);
  expect(rooms).toEqual([
    {
      handle: 1,
      key: 'lobby',
      name: 'Lobby',
      members: [
        [1, 4],
        [2, 5],
      ],
    },
  ]);
  expect(new Map(bans)).toEqual(
    new Map([
      ['look:eve', AT + 1000],
      ['address:192.0.2.1', AT + 1000],
    ]),
  );
  expect(kicks).toEqual([]);
  const reader = new StoreReader({ directory });
  expect(readRoom(reader, 'lobby').texts.slice(2)).toEqual(['hello', 'مرحبا']);
  expect(readRoom(reader, inboxKey(2)).texts).toEqual(['psst']);
  reader.close();
  writer.close();
}

describe('a store of version 1', () => {
  it('is brought to the present version, with everything that was in it', () => {
    const directory = folderOf(1);
    expect(versionOf(directory)).toBe(1);
    expectAllThere(directory);
    expect(versionOf(directory)).toBe(SCHEMA_VERSION);
    expect(checkStore({ directory })).toMatchObject({ problems: [], isStateProven: true });
    expect(query(directory, 'SELECT DISTINCT device FROM entry')).toEqual([0]);
  });

  it('can do afterwards what that version could not', () => {
    const directory = folderOf(1);
    const writer = open(directory);
    const kick = { code: CloseCode.Kicked, reason: 'out', until: AT + 5000 };
    writer.write([blockOf(12, claim(ClaimKind.SessionKicked, { sender: 2, at: AT }, kick))]);
    writer.close();
    const again = open(directory);
    const expected = {
      ...kick,
      position: 12,
      id: 'id of bob',
      secretHash: 'hash',
      clientHash: 'client',
      banned: [],
    };
    expect(again.opened.state.kicks).toEqual([expected]);
    again.close();
  });

  it('is read by tools as it is, and not changed', () => {
    const directory = folderOf(1);
    const before = readFileSync(join(directory, 'chat.sqlite'));
    expect(checkStore({ directory })).toMatchObject({ entries: 11, problems: [], isStateProven: true });
    expect([...exportStore({ directory })]).toHaveLength(11);
    expect(backupStore({ directory, target: dataFolder() })).toMatchObject({ problems: [] });
    expect(readFileSync(join(directory, 'chat.sqlite')).equals(before)).toBe(true);
    expect(versionOf(directory)).toBe(1);
  });

  it('stays as it was when something goes wrong on the way', () => {
    const directory = folderOf(1);
    const path = join(directory, 'chat.sqlite');
    // The last step of the migration cannot be done.
    const database = findDriver().open(path);
    database.exec('CREATE TABLE rule (a); PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const before = readFileSync(path);
    expect(() => open(directory)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_CORRUPT' }));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(versionOf(directory)).toBe(1);
    query(directory, 'SELECT 1');
    const mended = findDriver().open(path);
    mended.exec('DROP TABLE rule');
    mended.close();
    expectAllThere(directory);
  });

  it('stays as it was when the process is killed on the way', { timeout: 60_000 }, async () => {
    const directory = folderOf(1);
    const node = ['--conditions=@chat/source', '--import', 'tsx', CHILD, join(directory, 'chat.sqlite')];
    const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    expect(versionOf(directory)).toBe(1);
    expect(query(directory, "SELECT count(*) AS n FROM meta WHERE value = 'torn'")).toEqual([0]);
    expectAllThere(directory);
  });
});

describe('a store of version 2', () => {
  it('is brought to the present version, and can keep then what was decided about a room', () => {
    const directory = folderOf(2);
    const before = readFileSync(join(directory, 'chat.sqlite'));
    expect(checkStore({ directory })).toMatchObject({ entries: 11, problems: [], isStateProven: true });
    expect(readFileSync(join(directory, 'chat.sqlite')).equals(before)).toBe(true);
    const writer = open(directory);
    expect(writer.opened).toMatchObject({ ...OLD_STORES[2], loss: undefined });
    const { sessions, kicks, bans, rules } = writer.opened.state;
    expect(sessions.map(({ name }) => name)).toEqual(['ada', 'bob']);
    expect(kicks).toMatchObject([{ position: 10, id: 'id of eve', until: AT + 500 }]);
    expect(bans).toHaveLength(2);
    expect(rules).toEqual([]);
    const topic = {
      action: 'topic',
      by: 'ops',
      change: { what: 'settings', settings: { topic: 'tea' } },
    } as const;
    writer.write([blockOf(12, claim(ClaimKind.Moderated, { room: 'lobby', at: AT }, topic))]);
    writer.close();
    expect(versionOf(directory)).toBe(SCHEMA_VERSION);
    const again = open(directory);
    expect(again.opened.state.rules).toEqual([
      { scope: 'lobby', what: 'settings', key: '', value: { topic: 'tea' } },
    ]);
    again.close();
  });
});

describe('a store of a newer version', () => {
  it.each([
    ['a server', (directory: string) => void open(directory)],
    ['a check', (directory: string) => void checkStore({ directory })],
    ['an export', (directory: string) => void [...exportStore({ directory })]],
    ['a backup', (directory: string) => void backupStore({ directory, target: dataFolder() })],
  ])('is refused by %s, and stays as it is', (_, use) => {
    const directory = folderOf(1);
    const path = join(directory, 'chat.sqlite');
    const database = findDriver().open(path);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}; PRAGMA wal_checkpoint(TRUNCATE)`);
    database.close();
    const before = readFileSync(path);
    expect(() => use(directory)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_NEWER' }));
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
