import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { nameKey, roomNameProblem, userNameProblem } from '../../src/names/name.js';
import { roomKey } from '../../src/names/room-key.js';
import { holds } from '../support/holds.js';
import { blocks } from '../support/protocol-document.js';

/** Names of docs/protocol.md. */
function vectors(name: string): string[] {
  const { lines } = blocks('golden-names').find((block) => block.name === name)!;
  return lines.flatMap((line) => JSON.parse(line) as string[]);
}

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
    .map((units) => String.fromCharCode(...units)),
);

describe('userNameProblem', () => {
  it.each([
    'ada',
    'Ada Lovelace',
    'مريم',
    'Zoë',
    '王小明',
    '👩‍🚀',
    '🇮🇷',
    '7',
    'a.b-c_d',
    'می‌خواهم',
    'क्‍ष',
    '__proto__',
    'constructor',
  ])('accepts %s', (name) => {
    expect(userNameProblem(name)).toBeUndefined();
  });

  it.each([
    ['', 'must not be empty'],
    ['a\nb', 'control'],
    ['a\u0000', 'control'],
    ['\u001b[31mred', 'control'],
    ['a\ud800', 'control'],
    ['\ue000a', 'control'],
    [' ada', 'begin or end with a space'],
    ['ada ', 'begin or end with a space'],
    ['a  b', 'single plain spaces'],
    ['a\u00a0b', 'single plain spaces'],
    ['a\u3000b', 'single plain spaces'],
    ['ada\u202e', 'invisible'],
    ['a\u200bda', 'invisible'],
    ['a\u00adda', 'invisible'],
    ['ada\u2800', 'invisible'],
    ['a\u{e0041}', 'invisible'],
    ['a\u200dda', 'joiners'],
    ['👩\u200d', 'joiners'],
    ['a:b', 'colon'],
    ['*ada', 'begin with *'],
    ['/quit', 'begin with /'],
    ['#room', 'begin with #'],
    ['@ada', 'begin with @'],
    ['<ada>', 'begin with <'],
    ['...', 'a letter, a digit or an emoji'],
    [`a${'\u0301'.repeat(4)}`, 'stack combining marks'],
    ['a'.repeat(65), '64 bytes'],
    ['王'.repeat(22), '66 bytes exceeds 64'],
    ['x'.repeat(10_000_000), '64 bytes'],
  ])('refuses %j', (name, problem) => {
    expect(userNameProblem(name.slice(0, 10_000_000))).toContain(problem);
  });

  it('accepts 64 bytes, whatever they count as', () => {
    for (const problem of [userNameProblem, roomNameProblem]) {
      expect(problem('a'.repeat(64))).toBeUndefined();
      expect(problem('é'.repeat(32))).toBeUndefined();
      expect(problem('é'.repeat(33))).toContain('66 bytes exceeds 64');
    }
  });

  it.each(vectors('user-fine'))('accepts %j of the document', (name) => {
    expect(userNameProblem(name)).toBeUndefined();
  });

  it.each(vectors('user-refused'))('refuses %j of the document', (name) => {
    expect(userNameProblem(name)).toMatch(/^a name must/);
  });

  it('answers any string with a sentence or nothing, and accepts no line end', () => {
    holds(
      fc.property(anything, (name) => {
        const problem = userNameProblem(name);
        if (problem === undefined)
          expect(`${name} ${name.normalize('NFKC')}`).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029:]/u);
        else expect(problem).toMatch(/^a name /);
      }),
      { numRuns: 1000 },
    );
  });

  it('answers a value of another type, which JSON may bring, with a sentence', () => {
    for (const value of [undefined, null, 7, {}, ['ada']]) {
      expect(userNameProblem(value as unknown as string)).toBe('a name must not be empty');
    }
  });
});

describe('roomNameProblem', () => {
  it.each(vectors('room-fine'))('accepts %s', (room) => {
    expect(roomNameProblem(room)).toBeUndefined();
  });

  it.each([...vectors('room-refused'), 'a'.repeat(65)])('refuses %j', (room) => {
    expect(roomNameProblem(room)).toBeTypeOf('string');
  });
});

describe('nameKey', () => {
  it.each([
    ['Ada', 'ada'],
    ['ΑΔΑ', 'αδα'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδος', 'οδοσ'],
    ['ẞ', 'ss'],
    ['groß', 'GROẞ'],
    ['ｐａｙｐａｌ', 'paypal'], // full width
    ['ﬁn', 'fin'], // ligature
    ['❤\uFE0F', '❤'],
    ['K', 'k'], // Kelvin sign
  ])('is the same for %s and %s', (left, right) => {
    expect(nameKey(left)).toBe(nameKey(right));
  });

  it.each([
    ['ada', 'bob'],
    ['ada', 'аdа'], // Cyrillic: how names look is the server's business
    ['Zoë', 'Zoe'],
    ['王', '玉'],
  ])('differs for %s and %s', (left, right) => {
    expect(nameKey(left)).not.toBe(nameKey(right));
  });

  it('is its own key, and the same in any case and normal form', () => {
    holds(
      fc.property(anything, (name) => {
        if (userNameProblem(name) !== undefined) return;
        const key = nameKey(name);
        expect(nameKey(key)).toBe(key);
        for (const form of ['NFC', 'NFD', 'NFKC'] as const) expect(nameKey(name.normalize(form))).toBe(key);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('roomKey', () => {
  it('folds case and compatibility forms, but no look-alikes', () => {
    expect(roomKey('Lobby')).toBe('lobby');
    expect(roomKey('ｌｏｂｂｙ')).toBe('lobby');
    expect(roomKey('l0bby')).not.toBe(roomKey('lobby'));
  });
});

describe('an engine without properties of Unicode', () => {
  it('loads the module, and refuses what is plainly wrong', async () => {
    const { RegExp: Native } = globalThis;
    vi.stubGlobal(
      'RegExp',
      class extends Native {
        constructor(source: string, flags: string) {
          if (String(source).includes('\\p{')) throw new SyntaxError('invalid property name');
          super(source, flags);
        }
      },
    );
    vi.resetModules();
    try {
      const plain = await import('../../src/names/name.js');
      for (const name of vectors('user-fine')) expect(plain.userNameProblem(name), name).toBeUndefined();
      for (const name of vectors('user-refused')) expect(plain.userNameProblem(name), name).toBeDefined();
      expect(plain.nameKey('ＡＤＡ')).toBe('ada');
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });
});
