import { describe, expect, it } from 'vitest';
import { AddressTable, clearColumn, tableBytes } from '../../../src/workers/machine/address-table.js';

function tablesOf(columns: number) {
  const payload = new Uint8Array(tableBytes(columns));
  return {
    payload,
    tables: Array.from({ length: columns }, (_, column) => new AddressTable(payload, column)),
  };
}

describe('AddressTable', () => {
  it('shows each worker what the others have, by address and kind', () => {
    const { tables } = tablesOf(3);
    const [one, two, three] = tables.map((table) => table.open('connections', '192.0.2.1')!);
    one!.add(3);
    one!.add(-1);
    two!.add(5);
    expect([one, two, three].map((share) => share!.others())).toEqual([5, 2, 7]);
    expect(tables[2]!.others('connections', '192.0.2.1')).toBe(7);
    expect(tables[2]!.others('away', '192.0.2.1')).toBe(0);
    expect(tables[2]!.others('connections', '192.0.2.2')).toBe(0);
  });

  it('gives back what a worker had whose column is cleared, for one that comes', () => {
    const { payload, tables } = tablesOf(2);
    tables[0]!.open('messages', 'a')!.add(7);
    const share = tables[1]!.open('messages', 'a')!;
    share.add(1);
    clearColumn(payload, 0);
    expect(share.others()).toBe(0);
    const next = new AddressTable(payload, 0);
    expect(next.others('messages', 'a')).toBe(1);
    next.open('messages', 'a')!.add(2);
    expect(share.others()).toBe(2);
  });

  it('has room again when nothing of an address is counted any more', () => {
    const { tables } = tablesOf(2);
    const [one, other] = tables;
    const bytes = one!.open('bytes', 'a')!;
    const away = one!.open('away', 'a')!;
    for (const share of [bytes, away]) share.add(4);
    bytes.close();
    expect([other!.others('bytes', 'a'), other!.others('away', 'a')]).toEqual([0, 4]);
    away.close();
    one!.open('bytes', 'a')!.add(1);
    expect([other!.others('bytes', 'a'), other!.others('away', 'a')]).toEqual([1, 0]);
  });

  it('leaves a worker to itself that has no place for one more', () => {
    const { tables } = tablesOf(1);
    let opened = 0;
    const [table] = tables;
    for (let i = 0; i < 40_000; i++) if (table!.open('connections', `a${i}`)) opened++;
    expect(opened).toBeGreaterThan(20_000);
    expect(opened).toBeLessThanOrEqual(32_768);
  });
});
