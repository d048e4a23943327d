import { describe, expect, it } from 'vitest';
import { emojiOf } from '../../../src/log/messages/emoji.js';

describe('emojiOf', () => {
  it.each([
    ['a picture', '👍', '👍'],
    ['one with a colour of skin', '👍🏽', '👍🏽'],
    ['a flag', '🇩🇪', '🇩🇪'],
    ['a flag of a part of a country', '🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}', undefined],
    ['several people', '👩🏽‍❤️‍💋‍👨🏽', undefined],
    ['a letter that is an emoji with its selector', '❤', '❤\uFE0F'],
    ['the same with it', '❤\uFE0F', undefined],
    ['a picture with a selector that it needs not', '👍\uFE0F', '👍'],
    ['a letter with a colour of skin', '☝🏽', undefined],
    ['a joined one without its selectors', '🏳‍🌈', '🏳\uFE0F‍🌈'],
    ['a keycap', '1\u20E3', '1\uFE0F\u20E3'],
    ['one of Unicode to come', '\u{1FAFA}', '\u{1FAFA}\uFE0F'],
  ])('takes %s', (_, given, kept = given) => {
    expect(emojiOf(given)).toBe(kept);
    expect(emojiOf(kept)).toBe(kept);
  });

  it.each([
    '',
    'a',
    '1',
    '+1',
    '👍👍',
    '👍 ',
    ' 👍',
    '🇩',
    '🏽',
    '\uFE0F',
    '👍\u200D',
    'ok👍',
    '👍\n',
    '__proto__',
    '\u202E👍',
    '🏴\u{E007F}',
  ])('takes no %j', (given) => expect(emojiOf(given)).toBeUndefined());
});
