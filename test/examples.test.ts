/**
 * Every example in a README or in TSDoc is compiled as strictly as the sources, and run. An example asserts what it
 * claims, with `node:assert`; what it prints goes nowhere.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { findExamples } from './support/examples.js';
import { ROOT, workspacesIn } from './support/workspaces.js';

const run = promisify(execFile);
const examples = findExamples();

// Inside the repository, where the workspaces resolve; of this process alone, since several may run at a time.
const folder = join(ROOT, 'test-output', `examples-${process.pid}`);
const fileOf = (where: string): string => join(folder, `${where.replace(/[^\w-]+/g, '-')}.ts`);
mkdirSync(folder, { recursive: true });
for (const { where, code } of examples) writeFileSync(fileOf(where), `${code}export {};\n`);
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions: { types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
    include: ['*.ts'],
  }),
);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples', () => {
  it.each(workspacesIn('packages').map(({ folder: path }) => path))(
    'are in the README and the sources of %s',
    (path) => {
      const own = examples.filter(({ where }) => where.startsWith(`${path}/`));
      expect(own.some(({ where }) => where.includes('README.md'))).toBe(true);
      expect(own.some(({ where }) => where.includes('/src/'))).toBe(true);
    },
  );

  it('compile', async () => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const output = await run(process.execPath, [tsc, '-p', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(output).toBe('');
  });

  it.each(examples.filter(({ runs }) => runs).map(({ where }) => [where] as const))(
    '%s runs',
    async (where) => {
      const silent = (['log', 'info', 'warn', 'error'] as const).map((method) =>
        vi.spyOn(console, method).mockImplementation(() => {}),
      );
      try {
        await import(/* @vite-ignore */ fileOf(where));
      } finally {
        for (const spy of silent) spy.mockRestore();
      }
    },
    30_000,
  );
});
