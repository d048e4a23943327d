import type { SharedSegment } from '@chat/shm';
import { describe, expect, it } from 'vitest';
import { AddressColumns } from '../../../src/workers/machine/address-columns.js';
import { AddressTable } from '../../../src/workers/machine/address-table.js';

describe('AddressColumns', () => {
  it('gives each worker a column, and that of one that has ended, empty, to the next', () => {
    let payload = new Uint8Array(0);
    const columns = new AddressColumns(1, (bytes) => {
      payload = new Uint8Array(bytes);
      return { name: 'n', payload } as unknown as SharedSegment;
    });
    expect([1, 2, 3].map((worker) => columns.take(worker)?.column)).toEqual([0, 1, 2]);
    expect(columns.take(4)).toBeUndefined();
    new AddressTable(payload, 1).open('away', 'a')!.add(1);
    const reader = new AddressTable(payload, 0);
    expect(reader.others('away', 'a')).toBe(1);
    columns.ended(2);
    columns.ended(2);
    expect(reader.others('away', 'a')).toBe(0);
    expect(columns.take(5)).toMatchObject({ name: 'n', bytes: payload.length, column: 1 });
  });
});
