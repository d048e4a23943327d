/** `scripts/check-lock.mjs`, which the continuous integration runs before anything is installed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/workspaces.js';

interface Lock {
  readonly packages: Record<string, Record<string, unknown>>;
}

const folder = mkdtempSync(join(tmpdir(), 'chat-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(...args: string[]): { code: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/check-lock.mjs', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { code: status, problems: stderr.split('\n').filter((line) => line !== '') };
}

/** The real file with a change, checked. */
function checkChanged(change: (packages: Lock['packages']) => void): {
  code: number | null;
  problems: string[];
} {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  change(lock.packages);
  const file = join(folder, 'package-lock.json');
  writeFileSync(file, JSON.stringify(lock));
  return check(file);
}

describe('package-lock.json', () => {
  it('pins the content of every package, names no registry, and lacks no platform', () => {
    expect(check()).toEqual({ code: 0, problems: [] });
  });
});

describe('the check of the lock file', () => {
  it('finds a package without an integrity, and one whose integrity is weak', () => {
    const changed = checkChanged((packages) => {
      delete packages['node_modules/ws']!.integrity;
      packages['node_modules/pino']!.integrity = 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=';
    });
    expect(changed.code).toBe(1);
    expect(changed.problems.sort()).toEqual([
      'no integrity (sha512): node_modules/pino',
      'no integrity (sha512): node_modules/ws',
    ]);
  });

  it('finds the address of a registry', () => {
    const { problems } = checkChanged((packages) => {
      packages['node_modules/ws']!.resolved = 'https://registry.example.org/ws/-/ws-8.0.0.tgz';
    });
    expect(problems).toEqual(['an address: node_modules/ws']);
  });

  it('finds a platform package that was left out', () => {
    const { problems } = checkChanged((packages) => {
      delete packages['node_modules/turbo']!.optionalDependencies;
      packages['node_modules/turbo']!.optionalDependencies = { '@turbo/plan9': '2.0.0' };
    });
    expect(problems).toEqual(['optional package missing: @turbo/plan9, which node_modules/turbo names']);
  });
});
