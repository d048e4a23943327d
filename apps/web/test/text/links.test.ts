import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLinks } from '../../src/text/links.js';

const links = (text: string): string[] =>
  splitLinks(text).flatMap((part) => (part.kind === 'link' ? [part.href] : []));

describe('splitLinks', () => {
  it('finds addresses, and leaves the sentence around them', () => {
    expect(splitLinks('see https://example.org/a, or not')).toEqual([
      { kind: 'text', text: 'see ' },
      { kind: 'link', text: 'https://example.org/a', href: 'https://example.org/a' },
      { kind: 'text', text: ', or not' },
    ]);
  });

  it.each([
    ['(https://example.org/a_(b))', 'https://example.org/a_(b)'],
    ['https://example.org/?q=1&r=2#x!', 'https://example.org/?q=1&r=2#x'],
    ['https://example.org/…', 'https://example.org/'],
    ['"http://example.org"', 'http://example.org'],
    ['<https://example.org/>', 'https://example.org/'],
    ['https://münchen.example/straße', 'https://münchen.example/straße'],
    ['https://[::1]:8080/', 'https://[::1]:8080/'],
  ])('takes from %s what belongs to the address', (text, address) => {
    expect(links(text)).toEqual([address]);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://example.org',
    'example.org',
    'www.example.org',
    'https://',
    'xhttps://example.org',
    'https://bank.example@evil.example/',
    'https://user:word@evil.example/',
  ])('makes no link of %s', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('ends an address at a mark that would let it read as another one', () => {
    expect(links('https://evil.example/\u202Egro.elpmaxe')).toEqual(['https://evil.example/']);
    expect(links('https://evil.example/\u200Bx')).toEqual(['https://evil.example/']);
  });

  it('loses nothing: the parts together are the text, and every link says what it opens', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.webUrl(),
      fc.constantFrom('https://', ')', ' '),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const text = words.join('');
        const parts = splitLinks(text);
        expect(parts.map((part) => part.text).join('')).toBe(text);
        for (const part of parts) {
          if (part.kind === 'link') expect(part.href).toBe(part.text);
          if (part.kind === 'link') expect(part.href).toMatch(/^https?:\/\//i);
        }
      }),
      { numRuns: 50 },
    );
  });
});
