/** A secret from a terminal, key by key and unseen; or from a pipe. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { SecretReader } from '../../src/accounts/ask-secret.js';

function terminal() {
  const input = new PassThrough() as PassThrough & { isTTY: boolean; setRawMode(isRaw: boolean): void };
  const raw: boolean[] = [];
  input.isTTY = true;
  input.setRawMode = (isRaw) => raw.push(isRaw);
  const output = new PassThrough();
  const reader = new SecretReader({ input, output });
  return { input, raw, reader, shown: () => String(output.read() ?? '') };
}

describe('SecretReader at a terminal', () => {
  it('asks, shows nothing of what is typed, and gives the terminal back', async () => {
    const { input, raw, reader, shown } = terminal();
    const answer = reader.ask('Password: ');
    for (const key of 'sécret') input.write(key);
    input.write('x\u007f');
    input.write('\r');
    expect(await answer).toBe('sécret');
    expect(shown()).toBe('Password: \n');
    expect(raw).toEqual([true, false]);
  });

  it('takes a line that was pasted, and the next one for the next question', async () => {
    const { input, reader } = terminal();
    input.write('first\nsecond\n');
    expect(await reader.ask('1: ')).toBe('first');
    expect(await reader.ask('2: ')).toBe('second');
  });

  it.each([
    ['Ctrl-C', 'sec\u0003'],
    ['Ctrl-D at the beginning', '\u0004'],
  ])('gives up at %s', async (_what, keys) => {
    const { input, raw, reader } = terminal();
    input.write(keys);
    expect(await reader.ask('Password: ')).toBeUndefined();
    expect(raw).toEqual([true, false]);
  });

  it('begins anew at Ctrl-U', async () => {
    const { input, reader } = terminal();
    input.write('wrong\u0015right\r');
    expect(await reader.ask('Password: ')).toBe('right');
  });
});

describe('SecretReader at a pipe', () => {
  it('reads a line each, and says when there is none', async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const reader = new SecretReader({ input, output });
    input.write('one\r\ntw');
    input.end('o');
    expect(await reader.ask('Password: ')).toBe('one');
    expect(await reader.ask('Password: ')).toBe('two');
    expect(await reader.ask('Password: ')).toBeUndefined();
    expect(output.read()).toBeNull();
  });
});
