import { EventEmitter } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Key, type Keypress, KeyReader } from '../../../src/screen/terminal/keyboard.js';
import { ManualClock } from '../support/manual-clock.js';

/** Keys that Node's decoder makes of bytes. */
async function keysOf(bytes: string): Promise<Key[]> {
  const keys: Key[] = [];
  const reader = new KeyReader((key) => keys.push(key), new ManualClock());
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

  describe('of a paste whose end was lost', () => {
    const START = '\u001B[200~';

    function terminal(): { keys: Key[]; clock: ManualClock; reader: KeyReader; type(bytes: string): void } {
      const keys: Key[] = [];
      const clock = new ManualClock();
      const reader = new KeyReader((key) => keys.push(key), clock);
      const input = new EventEmitter();
      emitKeypressEvents(input as unknown as NodeJS.ReadableStream);
      input.on('keypress', (text: string | undefined, key: Keypress) => reader.press(text, key));
      return { keys, clock, reader, type: (bytes) => input.emit('data', Buffer.from(bytes)) };
    }

    it('keeps the text, and takes keys for keys again after a second of silence', () => {
      const { keys, clock, type } = terminal();
      type(`${START}one`);
      clock.advance(900);
      type(' two');
      clock.advance(900);
      expect(keys).toEqual([]);
      clock.advance(100);
      expect(keys).toEqual([{ type: 'paste', text: 'one two' }]);
      type('a');
      expect(keys.at(-1)).toEqual({ type: 'key', chord: 'a', text: 'a' });
      expect(clock.timers).toBe(0);
    });

    it('ends at a Ctrl-C that somebody pressed, and at none that was pasted', () => {
      const { keys, clock, type } = terminal();
      type(`${START}one\u0003two`);
      expect(keys).toEqual([]);
      clock.advance(200);
      type('\u0003');
      expect(keys).toEqual([{ type: 'paste', text: 'one\u0003two' }]);
      type('\u0003');
      expect(keys.at(-1)).toMatchObject({ type: 'key', chord: 'ctrl+c' });
    });

    it.each(['\u001B[2', '\u001B[', '\u001BO', '\u001B', '\u001B[1;'])(
      'sees the end behind an unfinished sequence: %j',
      (sequence) => {
        const { keys, type } = terminal();
        type(`${START}a${sequence}\u001B[201~b`);
        expect(keys.map((key) => (key.type === 'paste' ? key.text[0] : key.text))).toEqual(['a', 'b']);
        expect(keys[0]!.type).toBe('paste');
      },
    );

    it('sees the end behind more than is kept', () => {
      const { keys, type } = terminal();
      type(`${START}${'~'.repeat(1_048_600)}\u001B[2\u001B[201~b`);
      expect(keys).toHaveLength(2);
      expect((keys[0] as { text: string }).text).toHaveLength(1_048_576);
    });

    it('hands out what it has when the terminal is given back', () => {
      const { keys, clock, reader, type } = terminal();
      type(`${START}one`);
      reader.close();
      expect(keys).toEqual([{ type: 'paste', text: 'one' }]);
      expect(clock.timers).toBe(0);
    });
  });
});
