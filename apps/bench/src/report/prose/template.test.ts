import { describe, expect, it } from 'vitest';
import { fill, listOf, say, tableOf } from './template.js';

describe('fill', () => {
  it('puts figures in their places, the first lookup that knows one', () => {
    const lookups = [{ times: '3' }, (name: string, id: string) => `${name} of ${id}`];
    expect(fill('{times} times: {round-trip chat-tcp}', ...lookups)).toBe('3 times: round-trip of chat-tcp');
  });

  it('chooses by a fact', () => {
    const text = 'it moves {when-many millions of messages/some}{when-fast , at once}.';
    expect(fill(text, { 'when-many': true, 'when-fast': false })).toBe('it moves millions of messages.');
    expect(fill(text, { 'when-many': false, 'when-fast': true })).toBe('it moves some, at once.');
  });

  it('does not leave a place empty in silence', () => {
    expect(() => fill('{nothing}')).toThrow('nobody knows {nothing}');
    expect(() => say('no such section')).toThrow(RangeError);
  });
});

describe('prose.md', () => {
  it('has tables of five columns, and a list', () => {
    for (const row of [...tableOf('users'), ...tableOf('design')]) expect(row).toHaveLength(5);
    expect(listOf('method').every((item) => /^\S.*\.?$/.test(item) && !item.startsWith('-'))).toBe(true);
  });
});
