/** The figures of a data folder, from a real one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLog } from '@chat/server/sqlite';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { registerStoreMetrics } from '../../src/metrics/store-metrics.js';

it('tell position, bytes and times of the store as they are when they are asked for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-metrics-'));
  const log = await openSqliteLog({ directory, reserveBytes: 0 });
  try {
    const register = new Registry();
    registerStoreMetrics(register, log);
    const stored = new Promise<void>((resolve) => void log.open(() => resolve()));
    expect(await register.metrics()).toContain('chat_store_position 0\n');
    const nothing = new Uint8Array(0);
    log.append({
      ...{ room: 'lobby', type: 0x11, codec: 1, kind: 0, sender: 1, name: nothing, body: nothing },
      ...{ at: 1, publishId: 0, origin: undefined },
    });
    await stored;
    const text = await register.metrics();
    expect(text).toContain('chat_store_open 1\n');
    expect(text).toContain('chat_store_position 1\n');
    expect(Number(/^chat_store_file_bytes (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(Number(/^chat_store_commit_p50_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(Number(/^chat_store_commit_p99_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(text).toContain('chat_store_pending_bytes 0\n');
    expect(text).toContain('chat_store_slow_searches 0\n');
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

it('tell a store that is full, and searches that took too long', async () => {
  const register = new Registry();
  const stats = { storedPosition: 7, pendingBytes: 5, entries: 7, fileBytes: 4096, slowQueries: 3 };
  registerStoreMetrics(register, {
    condition: { state: 'full', reason: 'no space left' },
    stats: () => Promise.resolve({ ...stats, commitMs: { p50: 2, p99: 30 } }),
  });
  const text = await register.metrics();
  for (const figure of [
    'open 0',
    'position 7',
    'pending_bytes 5',
    'slow_searches 3',
    'commit_p99_seconds 0.03',
  ]) {
    expect(text).toContain(`chat_store_${figure}\n`);
  }
});
