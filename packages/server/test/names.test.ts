import { describe, expect, it } from 'vitest';
import { Names } from '../src/names.js';

describe('Names', () => {
  it('gives a name to one owner, whatever way it is written', () => {
    const names = new Names<string>();
    expect(names.tryClaim('Ada', 'first')).toBe(true);
    expect(names.tryClaim('аda', 'second')).toBe(false); // Cyrillic а
    expect(names.find('ADA')).toBe('first');
  });

  it('exchanges a name in one step, and changes nothing when the new one is taken', () => {
    const names = new Names<string>();
    names.tryClaim('ada', 'first');
    names.tryClaim('bob', 'second');
    expect(names.tryRename('ada', 'BOB', 'first')).toBe(false);
    expect(names.find('ada')).toBe('first');
    expect(names.tryRename('ada', 'grace', 'first')).toBe(true);
    expect(names.find('ada')).toBeUndefined();
    expect(names.find('grace')).toBe('first');
  });

  it('keeps a name that is only written differently', () => {
    const names = new Names<string>();
    names.tryClaim('ada', 'first');
    expect(names.tryRename('ada', 'Ada', 'first')).toBe(true);
    expect(names.find('ada')).toBe('first');
  });

  it('is released by its owner only', () => {
    const names = new Names<string>();
    names.tryClaim('ada', 'first');
    names.release('ada', 'second');
    expect(names.find('ada')).toBe('first');
    names.release('Ada', 'first');
    expect(names.find('ada')).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'has no owner of %s by itself',
    (name) => {
      const names = new Names<string>();
      expect(names.find(name)).toBeUndefined();
      expect(names.tryClaim(name, 'first')).toBe(true);
      expect(names.find(name)).toBe('first');
    },
  );
});
