/** What the README says about options and errors is what the code does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ServerErrorCode } from '../src/errors.js';
import { LIMITS } from '../src/options/limits.js';
import { resolveOptions } from '../src/options/options.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Rows of the table below a heading, without its head. */
function rows(heading: string): string[][] {
  const section = readme.split(`# ${heading}\n`)[1]!.split('\n#')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

it('has every option that is no limit, with its default', () => {
  const others = new Set(['hooks', 'http', 'logger', 'log', 'clock', 'random', 'agent', 'addressCounts']);
  const expected = Object.entries(resolveOptions({}))
    .filter(([name]) => !(name in LIMITS || others.has(name)))
    .map(([name, value]) => [
      name,
      Array.isArray(value) ? '[]' : typeof value === 'string' ? `'${value}'` : String(value),
    ]);
  expect(rows('Other options').map(([, name, value]) => [name, value])).toEqual(expected);
});

it('has every error code', () => {
  // Codes that belong together share a row.
  const codes = rows('Errors').flatMap(([, cell]) => cell!.split(', '));
  expect(codes.sort()).toEqual(Object.values(ServerErrorCode).sort());
});
