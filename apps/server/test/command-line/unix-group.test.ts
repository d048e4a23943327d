import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { groupId } from '../../src/command-line/unix-group.js';

it('finds the number of a group by its name, takes a number as it is, and knows when there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chat-group-'));
  const file = join(folder, 'group');
  writeFileSync(file, 'root:x:0:\nchat:x:4711:ada,bob\n');
  expect([groupId('chat', file), groupId('12', file), groupId('cha', file)]).toEqual([4711, 12, undefined]);
  expect(groupId('chat', join(folder, 'missing'))).toBeUndefined();
  rmSync(folder, { recursive: true });
});
