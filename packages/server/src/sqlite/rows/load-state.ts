/** The state of the chat as it lies in the rows of the file. */
import type { CloseCode } from '@chat/protocol';
import type { StateSnapshot } from '../../log/state/chat-state.js';
import type { Rule } from '../../log/state/rules.js';
import type { ReadPosition } from '../../log/state/users/read-positions.js';
import type { SqliteDatabase, SqliteRow, SqliteValue } from '../driver.js';
import { readRows } from './checked-rows.js';
import { withProcesses } from './process-rows.js';

/** The tables, and their columns beside the checksum. */
export const STATE_COLUMNS = {
  state: ['id', 'last_member', 'last_room'],
  session: ['member', 'id', 'name', 'secret_hash', 'client_hash', 'account', 'resumable', 'last_publish'],
  room: ['handle', 'key', 'name'],
  member: ['room', 'member', 'joined'],
  ban: ['key', 'until'],
  kick: ['position', 'id', 'secret_hash', 'client_hash', 'code', 'reason', 'banned', 'until'],
  rule: ['scope', 'what', 'key', 'value'],
  reading: ['account', 'place', 'position', 'changed'],
} as const;

/** One of these tables. */
export type StateTable = keyof typeof STATE_COLUMNS;

/**
 * Reads the state at the position of the newest entry.
 *
 * @throws ServerError `ERR_SERVER_STORE_CORRUPT` when a row is not what was written
 */
export function loadState(database: SqliteDatabase): StateSnapshot {
  const rows = (table: StateTable) => readRows(database, table, STATE_COLUMNS[table]);
  const members = new Map<SqliteValue, (readonly [memberId: number, joined: number])[]>();
  for (const { room, member, joined } of rows('member')) {
    const list = members.get(room!) ?? [];
    list.push([member as number, joined as number]);
    members.set(room!, list);
  }
  const [state] = rows('state');
  return withProcesses(database, {
    position: database.prepare('SELECT position FROM total').get()!.position as number,
    lastMember: (state?.last_member as number | undefined) ?? 0,
    lastRoom: (state?.last_room as number | undefined) ?? 0,
    sessions: rows('session').map((row) => ({
      memberId: row.member as number,
      id: row.id as string,
      name: row.name as string,
      secretHash: row.secret_hash as string,
      clientHash: (row.client_hash as string | null) ?? undefined,
      account: (row.account as string | null) ?? undefined,
      isResumable: row.resumable === 1,
      lastPublish: row.last_publish as number,
    })),
    rooms: rows('room').map((row) => ({
      handle: row.handle as number,
      key: row.key as string,
      name: row.name as string,
      // In the order of joining.
      members: (members.get(row.handle!) ?? []).sort(([, one], [, other]) => one - other),
    })),
    bans: rows('ban').map(({ key, until }) => [key as string, until as number | null] as const),
    kicks: rows('kick').map((row) => ({
      position: row.position as number,
      id: row.id as string,
      secretHash: row.secret_hash as string,
      clientHash: (row.client_hash as string | null) ?? undefined,
      code: row.code as CloseCode,
      reason: row.reason as string,
      banned: JSON.parse(row.banned as string) as string[],
      until: row.until as number,
    })),
    rules: readRows(database, 'rule', STATE_COLUMNS.rule).map(ruleOf).sort(byPosition),
    reads: rows('reading')
      .map((row) => ({
        account: row.account as string,
        place: row.place as string,
        seq: row.position as number,
        changed: row.changed as number,
      }))
      .sort(byChange),
  });
}

/** In the order in which they were changed; those that one entry changed stand in it in the order of their places. */
function byChange(one: ReadPosition, other: ReadPosition): number {
  return one.changed - other.changed || (one.place < other.place ? -1 : 1);
}

function ruleOf({ scope, what, key, value }: SqliteRow): Rule {
  return { scope, what, key, value: JSON.parse(value as string) } as unknown as Rule;
}

/** Mutes and bans are in the order in which they were imposed. */
function byPosition(one: Rule, other: Rule): number {
  return one.what === 'sanction' && other.what === 'sanction' ? Number(one.key) - Number(other.key) : 0;
}
