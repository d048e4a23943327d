import { describe, expect, it } from 'vitest';
import { mentionsIn } from '../../src/timeline/mentions.js';

/** The parts of a text that mention `name`. */
const marked = (text: string, name = 'ada'): string[] =>
  mentionsIn(text, name).map(([begin, end]) => text.slice(begin, end));

describe('mentionsIn', () => {
  it('finds a name as a word of its own, however it is capitalised', () => {
    expect(marked('Ada: hi, ADA! (ada)')).toEqual(['Ada', 'ADA', 'ada']);
    expect(marked('adapter canada ada1 _ada éada adá')).toEqual([]);
  });

  it('takes the sign before a name to it', () => {
    expect(marked('@ada @@Ada x@ada')).toEqual(['@ada', '@Ada', '@ada']);
  });

  it('looks behind a word that only begins like the name', () => {
    expect(mentionsIn('adapt it, ada', 'ada')).toEqual([[10, 13]]);
  });

  it('knows letters of two units, and marks on letters', () => {
    expect(marked('\u{10400}ada ada\u{10400} ada\u0301')).toEqual([]);
    expect(marked('\u{1F600}ada\u{1F600}')).toEqual(['ada']);
  });

  it('takes every sign in a name as it is', () => {
    for (const name of ['a.b', 'C++', '[x]', '$&', 'a-b', 'Ada Lovelace', '^', 'a\\', 'a/b', '{2}', 'a|b']) {
      expect(marked(`hello @${name}, well`, name)).toEqual([`@${name}`]);
    }
    expect(marked('axb', 'a.b')).toEqual([]);
    expect(marked('anything', '')).toEqual([]);
  });
});
