import { describe, expect, it } from 'vitest';
import { blocks } from '../../../protocol/test/support/protocol-document.js';
import { looks, Names, RoomLooks, userNameProblem } from '../../src/names/names.js';

/** Names, or pairs of names, of docs/protocol.md. */
function vectors(name: string): string[][] {
  return blocks('golden-names')
    .find((block) => block.name === name)!
    .lines.map((line) => JSON.parse(line) as string[]);
}

/** Whether one who is called `second` is refused beside one who is called `first`. */
function areOne(first: string, second: string): boolean {
  const names = new Names<string>();
  names.tryClaim(first, 'first');
  return !names.tryClaim(second, 'second');
}

describe('userNameProblem', () => {
  it.each(vectors('user-fine').flat())('accepts %j', (name) => {
    expect(userNameProblem(name)).toBeUndefined();
  });

  it.each([...vectors('user-refused'), ...vectors('user-refused-by-looks')].flat())('refuses %j', (name) => {
    expect(userNameProblem(name)).toMatch(/^a name must/);
  });

  it('refuses every character that is drawn like a colon or an asterisk, or normalises to one', () => {
    for (let point = 0x80; point < 0x1_0000; point++) {
      const character = String.fromCodePoint(point);
      const form = character.normalize('NFKC');
      if (/[:*]/.test(form)) expect(userNameProblem(`${character}bob`), character).toBeDefined();
      if (form.includes(':')) expect(userNameProblem(`bob${character} hi`), character).toBeDefined();
    }
  });
});

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

  it.each(vectors('one-name'))('knows that %s and %s are one', (first, second) => {
    expect(areOne(first!, second!)).toBe(true);
    expect(areOne(second!, first!)).toBe(true);
  });

  it.each(vectors('two-names'))('knows that %s and %s are two', (first, second) => {
    expect(areOne(first!, second!)).toBe(false);
  });

  it('finds the one whose name differs in case before the one whose name looks alike', () => {
    const names = new Names<string>();
    names.tryClaim('lan', 'Lan');
    names.tryClaim('ian', 'Ian');
    expect(names.find('IAN')).toBe('Ian');
    expect(names.tryClaim('IAN', 'third')).toBe(false);
    // A capital makes it look like the other one.
    expect(names.tryRename('ian', 'Ian', 'Ian')).toBe(false);
    expect(names.find('ian')).toBe('Ian');
  });

  it('frees every look of a name', () => {
    const names = new Names<string>();
    names.tryClaim('Ian', 'first');
    expect(names.tryRename('Ian', 'grace', 'first')).toBe(true);
    expect(names.tryClaim('lan', 'second')).toBe(true);
    expect(names.tryClaim('ian', 'third')).toBe(true);
  });
});

describe('looks', () => {
  it('has no character left that another one stands for', () => {
    for (const name of ['paypaI', 'ПОРТ', 'ᎳᎪᏙᎬ', 'modem', '０１', 'ſ']) {
      for (const look of looks(name)) expect(looks(look)[0]).toBe(look);
    }
  });
});

describe('RoomLooks', () => {
  it('lets nobody imitate the lobby, which need not be there', () => {
    const rooms = new RoomLooks();
    for (const name of ['lоbby', 'Iobby', 'l0bby', 'LОBBY']) expect(rooms.isTaken(name)).toBe(true);
    for (const name of ['lobby', 'LOBBY', 'ｌｏｂｂｙ', 'ⅼobby']) expect(rooms.isTaken(name)).toBe(false);
  });

  it('compares letters of other scripts with all rooms, and ids of ASCII with none', () => {
    const rooms = new RoomLooks();
    for (const name of ['admins', 'doc:O']) rooms.add(name);
    expect(rooms.isTaken('аdmins')).toBe(true);
    expect(rooms.isTaken('doc:0')).toBe(false);
    expect(rooms.isTaken('غرفة')).toBe(false);
    rooms.remove('admins');
    expect(rooms.isTaken('аdmins')).toBe(false);
  });
});
