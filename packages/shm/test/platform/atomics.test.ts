import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { add, compareExchange, fence, load, pause, sleepSync, store } from '../../src/platform/atomics.js';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

describe('atomics', () => {
  it('read, write, swap and add words, modulo 2^32', () => {
    const words = new Int32Array(2);
    store(words, 1, 5);
    expect(load(words, 1)).toBe(5);
    expect(compareExchange(words, 1, 4, 9)).toBe(5);
    expect(compareExchange(words, 1, 5, 9)).toBe(5);
    expect(add(words, 1, 2 ** 31 - 10)).toBe(9);
    expect(add(words, 1, 1)).toBe(2 ** 31 - 1);
    expect(load(words, 1)).toBe(-(2 ** 31));
    expect(words[0]).toBe(0);
  });

  it('fence and pause without effect, and sleep for as long as told', () => {
    fence();
    pause();
    const before = performance.now();
    sleepSync(5);
    expect(performance.now() - before).toBeGreaterThanOrEqual(4.9);
  });

  it('are named in one file only', () => {
    const files = readdirSync(source, { encoding: 'utf8', recursive: true })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => /\bAtomics\.\w/.test(stripComments(file)));
    expect(files).toEqual(['platform/atomics.ts']);
  });
});

function stripComments(file: string): string {
  return readFileSync(source + file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}
