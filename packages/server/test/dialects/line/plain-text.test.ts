import { isUtf8 } from 'node:buffer';
import { formatMessageLines } from '@chat/protocol/lines';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyPlainText } from '../../../src/dialects/line/plain-text.js';

function copied(bytes: Uint8Array): Buffer | undefined {
  const source = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0x80])]);
  const target = Buffer.alloc(bytes.length + 2);
  const end = copyPlainText(source, 1, bytes.length + 1, target, 2);
  return end === -1 ? undefined : target.subarray(2, end);
}

/** Whether the text is one line, as it is. */
function isPlain(text: string): boolean {
  return formatMessageLines('ada', text) === `ada: ${text}\n`;
}

describe('copyPlainText', () => {
  it('copies exactly those texts that are one line as they are', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    );
    const wrong = fc
      .sample(text, 2000)
      .filter((any) => copied(Buffer.from(any))?.toString() !== (isPlain(any) ? any : undefined));
    expect(wrong).toEqual([]);
  });

  it('refuses every code point that is replaced or ends a line, and takes the ones beside it', () => {
    const wrong: number[] = [];
    for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 251) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      if ((copied(Buffer.from(character)) !== undefined) !== isPlain(character)) wrong.push(point);
    }
    expect(wrong).toEqual([]);
  });

  it('refuses what is not UTF-8', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x9f, 0xa0),
      fc.nat(255),
    );
    const samples = fc.sample(fc.uint8Array({ maxLength: 8 }), 100);
    for (const list of fc.sample(fc.array(byte, { maxLength: 8 }), 5000)) samples.push(Uint8Array.from(list));
    const notText = samples.filter((bytes) => !isUtf8(bytes));
    expect(notText.length).toBeGreaterThan(1000);
    expect(notText.filter((bytes) => copied(bytes) !== undefined)).toEqual([]);
  });
});
