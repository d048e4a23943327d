import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../../src/sqlite/search/words.js';

const forms = (text: string): string[] => wordsOf(text).map(({ form }) => form);

describe('wordsOf', () => {
  it.each([
    ['Hello, World! 42', ['hello', 'world', '42']],
    ['Crème BRÛLÉE façade', ['creme', 'brulee', 'facade']],
    ['Straße STRASSE', ['strasse', 'strasse']],
    ['ΟΔΟΣ οδός', ['οδοσ', 'οδοσ']],
    ['İstanbul', ['istanbul']],
    ['ﬁne ｆｕｌｌ', ['fine', 'full']],
    ['Москва ёлка', ['москва', 'елка']],
    ['كِتَابٌ كتاب', ['كتاب', 'كتاب']],
    ['أحمد إحسان كـتاب', ['احمد', 'احسان', 'كتاب']],
    ['שָׁלוֹם שלום', ['שלום', 'שלום']],
    ['東京都へ行く', ['東', '京', '都', 'へ', '行', 'く']],
    ['ガイド ｶﾞｲﾄﾞ', ['ガ', 'イ', 'ド', 'ガ', 'イ', 'ド']],
    ['서울에서', ['서', '울', '에', '서']],
    ['สวัสดี', ['ส', 'วั', 'ส', 'ดี']],
    ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['iPhone15用', ['iphone15', '用']],
    ["don't_split", ['don', 't', 'split']],
    ['ok 🎈👍🏽', ['ok', '🎈', '👍']],
    ['', []],
    ['?! "*" ( )', []],
  ])('%s', (text, expected) => {
    expect(forms(text)).toEqual(expected);
  });

  it('says where in the text a word stands', () => {
    const text = 'x – Brûlée, 東京';
    expect(wordsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'x',
      'Brûlée',
      '東',
      '京',
    ]);
  });

  it('cuts what is no word of a language', () => {
    expect(forms('x'.repeat(1000))).toEqual(['x'.repeat(64)]);
  });
});
