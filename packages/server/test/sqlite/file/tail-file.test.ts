import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TailFile, type TailRecord } from '../../../src/sqlite/file/tail-file.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const record: TailRecord = {
  epoch: 'a_b-c',
  position: 2 ** 48 - 1,
  durability: 'disk',
  state: 'open',
  bootId: 'boot',
};

it('keeps one record, in place', () => {
  const path = join(dataFolder(), 'tail');
  const tail = new TailFile(path);
  expect(tail.read()).toBeUndefined();
  tail.write(record);
  const { length } = readFileSync(path);
  tail.write({ ...record, position: 7, state: 'closed' });
  tail.sync();
  tail.close();
  expect(readFileSync(path).length).toBe(length);
  const again = new TailFile(path);
  expect(again.read()).toEqual({ ...record, position: 7, state: 'closed' });
  again.close();
});

it('notices every changed bit and every cut', () => {
  const path = join(dataFolder(), 'tail');
  const tail = new TailFile(path);
  tail.write(record);
  const whole = readFileSync(path);
  const used = whole.toString('latin1').trimEnd().length;
  for (let bit = 0; bit < used * 8; bit++) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
    expect(tail.read(), `bit ${bit}`).toBe('unreadable');
  }
  for (const length of [1, 20, used - 1]) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    expect(tail.read(), `${length} bytes`).toBe('unreadable');
  }
  tail.close();
});
