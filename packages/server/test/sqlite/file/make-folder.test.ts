import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../../src/sqlite/file/make-folder.js';
import { dataFolder } from '../../support/sqlite/folder.js';

it('makes what is missing on the way, for its own user, and minds nothing that is there', () => {
  const path = join(dataFolder(), 'a', 'b');
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

it('throws what the system says where nothing can be made', () => {
  const file = join(dataFolder(), 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(join(file, 'below'))).toThrow(/ENOTDIR/);
});

it.skipIf(!existsSync('/proc/self'))('comes to an end where folders are made by nobody', () => {
  expect(() => makeFolder('/proc/chat')).toThrow(/ENOENT/);
  expect(() => makeFolder('/proc/chat/data')).toThrow(/ENOENT/);
});
