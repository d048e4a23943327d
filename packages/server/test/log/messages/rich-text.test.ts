import { jsonCodec } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { isOwnRichText, readRichText } from '../../../src/log/messages/rich-text.js';

const rich = (value: unknown): Uint8Array => jsonCodec.encode(value);

describe('readRichText', () => {
  it.each([
    [
      { text: 'x', reply: 7, more: 1 },
      { text: 'x', reply: 7 },
    ],
    [{ text: '' }, { text: '' }],
    [{ text: 1 }, undefined],
    [{ text: 'x', reply: 0 }, undefined],
    [{ text: 'x', reply: 1.5 }, undefined],
    [{ text: 'x', reply: '7' }, undefined],
    [null, undefined],
    ['x', undefined],
  ])('of %j is %j', (value, expected) => {
    expect(readRichText(rich(value))).toEqual(expected);
  });

  it('of what is no JSON is nothing', () => {
    expect(readRichText(Uint8Array.of(0x7b, 0xff))).toBeUndefined();
  });
});

describe('isOwnRichText', () => {
  it('has no reactions: what others think of it is not a member to say', () => {
    expect(isOwnRichText(rich({ text: 'x', reply: 7 }))).toBe(true);
    expect(isOwnRichText(rich({ text: 'x', reactions: [] }))).toBe(false);
    expect(isOwnRichText(rich({}))).toBe(false);
  });
});
