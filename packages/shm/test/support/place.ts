import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Place } from './scenario.js';

/** A folder of its own for each test of the file or block that calls this. */
export function usePlace(): Place {
  const place = { directory: '', name: 'subject' };
  beforeEach(() => {
    place.directory = mkdtempSync(
      join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'chat-shm-test-'),
    );
  });
  afterEach(() => {
    rmSync(place.directory, { recursive: true, force: true });
  });
  return place;
}
