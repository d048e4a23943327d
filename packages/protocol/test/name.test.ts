import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameKey, roomKey, roomNameProblem, userNameProblem } from '../src/name.js';
import { holds } from './support/holds.js';

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
    ['a'.repeat(33), '33 characters exceeds 32'],
    ['a'.repeat(65), '64 bytes'],
    ['王'.repeat(22), '66 bytes exceeds 64'],
    ['x'.repeat(10_000_000), '64 bytes'],
  ])('refuses %j', (name, problem) => {
    expect(userNameProblem(name.slice(0, 10_000_000))).toContain(problem);
  });

  it('accepts 32 characters and 64 bytes', () => {
    expect(userNameProblem('a'.repeat(32))).toBeUndefined();
    expect(userNameProblem('é'.repeat(32))).toBeUndefined();
  });

  it('answers any string with a sentence or nothing, and accepts no line end', () => {
    holds(
      fc.property(anything, (name) => {
        const problem = userNameProblem(name);
        if (problem === undefined) expect(name).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029:]/u);
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
  it.each(['lobby', '#lobby', 'غرفة', 'a-b', '🎲'])('accepts %s', (room) => {
    expect(roomNameProblem(room)).toBeUndefined();
  });

  it.each(['', 'a b', 'a:b', 'a,b', '/a', '*a', '@a', '<a', 'a\nb', 'a'.repeat(33)])('refuses %j', (room) => {
    expect(roomNameProblem(room)).toBeTypeOf('string');
  });
});

describe('nameKey', () => {
  it.each([
    ['Ada', 'ada'],
    ['аdа', 'ada'], // Cyrillic
    ['ΑΔΑ', 'αδα'],
    ['ｐａｙｐａｌ', 'paypal'], // full width
    ['paypa1', 'paypal'],
    ['b0b', 'bob'],
    ['ädа', 'äda'], // the last а is Cyrillic
    ['Zoе\u0308', 'zoë'], // Cyrillic е below a diaeresis
    ['ﬁn', 'fin'], // ligature
    ['❤\uFE0F', '❤'],
    ['K', 'k'], // Kelvin sign
  ])('is the same for %s and %s', (left, right) => {
    expect(nameKey(left)).toBe(nameKey(right));
  });

  it.each([
    ['ada', 'bob'],
    ['user1', 'user2'],
    ['Zoë', 'Zoe'],
    ['й', 'и'],
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
