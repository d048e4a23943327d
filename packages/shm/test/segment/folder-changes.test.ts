import { mkdirSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { folderChanges } from '../../src/segment/folder-changes.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const LONG_AGO = new Date(1_000_000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() });
  writeFileSync(join(place.directory, 'file'), '');
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is told to who asks after the last look has become old. */
function askLater(): number {
  vi.advanceTimersByTime(500);
  return folderChanges(place.directory);
}

function letItRest(): void {
  utimesSync(place.directory, LONG_AGO, LONG_AGO);
}

it('stays the same as long as nothing was made, removed or renamed', () => {
  letItRest();
  const first = askLater();
  writeFileSync(join(place.directory, 'file'), 'other content');
  expect([askLater(), askLater()]).toEqual([first, first]);
});

it.each([
  ['made', (path: string) => writeFileSync(`${path} 2`, '')],
  ['removed', (path: string) => unlinkSync(path)],
  ['renamed', (path: string) => renameSync(path, `${path} 3`)],
])('differs when a file was %s', (_what, change) => {
  letItRest();
  const first = askLater();
  change(join(place.directory, 'file'));
  expect(askLater()).not.toBe(first);
});

it('differs each time while the last change is so young that another would leave no trace', () => {
  utimesSync(place.directory, new Date(Date.now() + 440), new Date(Date.now() + 440));
  const first = askLater();
  expect(askLater()).not.toBe(first);
});

it('looks at the folder once for all who ask within a short while', () => {
  letItRest();
  const first = askLater();
  unlinkSync(join(place.directory, 'file'));
  expect(folderChanges(place.directory)).toBe(first);
  expect(askLater()).not.toBe(first);
});

it('differs when another folder has taken the place, and each time when there is none', () => {
  letItRest();
  const first = askLater();
  renameSync(place.directory, `${place.directory} aside`);
  const none = askLater();
  expect(none).not.toBe(first);
  expect(askLater()).not.toBe(none);
  mkdirSync(place.directory);
  letItRest();
  expect(askLater()).not.toBe(first);
  rmSync(`${place.directory} aside`, { recursive: true });
});

it('remembers a bounded number of folders, and takes none for unchanged that it has forgotten', () => {
  letItRest();
  const first = askLater();
  for (let i = 0; i < 200; i++) folderChanges(join(place.directory, `${i}`));
  expect(askLater()).not.toBe(first);
});
