import { emitKeypressEvents } from 'node:readline';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Key, type Keypress, KeyReader } from '../../src/screen/keyboard.js';

/** Keys that Node's decoder makes of bytes. */
async function keysOf(bytes: string): Promise<Key[]> {
  const keys: Key[] = [];
  const reader = new KeyReader((key) => keys.push(key));
  const input = new PassThrough();
  emitKeypressEvents(input);
  input.on('keypress', (text: string | undefined, key: Keypress) => reader.press(text, key));
  const ended = new Promise((resolve) => input.on('end', resolve));
  input.end(bytes);
  await ended;
  return keys;
}

async function chordsOf(bytes: string): Promise<string[]> {
  return (await keysOf(bytes)).map((key) => (key.type === 'key' ? key.chord : 'paste'));
}

describe('KeyReader', () => {
  it('names keys with their modifiers', async () => {
    expect(
      await chordsOf('\r\t\u001B[Z\u001B[5~\u001B[6~\u000E\u001B1\u001Bb\u001B[1;5D\u001B[1;2A'),
    ).toEqual([
      'return',
      'tab',
      'shift+tab',
      'pageup',
      'pagedown',
      'ctrl+n',
      'alt+1',
      'alt+b',
      'ctrl+left',
      'shift+up',
    ]);
  });

  it('writes letters of all kinds', async () => {
    const keys = await keysOf('aÄ漢🦊م ');
    expect(keys.map((key) => key.text)).toEqual(['a', 'Ä', '漢', '🦊', 'م', ' ']);
  });

  it('makes one value of a paste, line ends and control characters included', async () => {
    const keys = await keysOf('x\u001B[200~one\r/quit\ntwo\t\u0003\u001B[201~y');
    expect(keys).toEqual([
      { type: 'key', chord: 'x', text: 'x' },
      { type: 'paste', text: 'one\r/quit\ntwo\t\u0003' },
      { type: 'key', chord: 'y', text: 'y' },
    ]);
  });

  it('writes nothing for a key that is not text', async () => {
    const keys = await keysOf('\u0001\u001B[A\u001B[99~\u007F');
    expect(keys.map(({ text }) => text).join('')).toBe('');
  });
});
