/** What the README says about options and errors is what the code does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ServerErrorCode } from '../src/errors.js';
import { maxMessageBytes, resolveOptions } from '../src/options/options.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Rows of the table below a heading, without its head. */
function rows(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

it('has every option with its default', () => {
  const others = new Set(['hooks', 'http', 'logger', 'log', 'clock', 'random', 'agent']);
  const expected = Object.entries(resolveOptions({ maxMemoryBytes: Number.POSITIVE_INFINITY }))
    .filter(([name]) => !others.has(name))
    .map(([name, value]) => [
      name,
      Array.isArray(value) ? '[]' : typeof value === 'string' ? `'${value}'` : `${value}`,
    ]);
  const [memory] = expected.filter(([name]) => name === 'maxMemoryBytes');
  memory![1] = '85 % of the memory';
  const told = rows('Limits and defaults').map(([, name, value]) => [name, value]);
  expect(new Map(told as [string, string][])).toEqual(new Map(expected as [string, string][]));
});

it('has every error code', () => {
  expect(
    rows('Errors')
      .map(([, code]) => code)
      .sort(),
  ).toEqual(Object.values(ServerErrorCode).sort());
});

it('says how large a message may be', () => {
  const less = 65_536 - maxMessageBytes({ maxFrameBytes: 65_536 });
  expect(readme).toContain(`a message body has ${less} bytes less at the most`);
});
