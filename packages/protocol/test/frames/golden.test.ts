/** docs/protocol.md against the code: its vectors, both ways, and its tables. */
import { describe, expect, it } from 'vitest';
import { CloseCode, closeCodeInfo } from '../../src/close-code.js';
import { CodecTag } from '../../src/codecs/codec.js';
import { FailureCode } from '../../src/failure.js';
import { encodeFrame } from '../../src/frames/any-frame.js';
import { type Frame, FrameType, NoticeKind } from '../../src/frames/frame.js';
import * as limits from '../../src/limits.js';
import { decodePreface, encodePreface } from '../../src/preface.js';
import { FrameDecoder } from '../../src/stream/decoder.js';
import * as wellKnown from '../../src/well-known.js';
import { hex } from '../support/cuts.js';
import { blocks, protocolDocument, table } from '../support/protocol-document.js';

const vectors = new Map(
  blocks('golden').map(({ name, lines }) => [
    name,
    { json: lines[0]!, bytes: hex(lines.slice(1).join(' ')) },
  ]),
);

/** A frame from the JSON of a vector: `type` by name, bytes as `hex:…` or `golden:<name>`. */
function frameOf(json: string): Frame {
  const value = JSON.parse(json) as Record<string, unknown>;
  value.type = FrameType[value.type as keyof typeof FrameType];
  for (const field of ['body', 'entries']) {
    const text = value[field];
    if (typeof text !== 'string') continue;
    value[field] = text.startsWith('golden:') ? vectors.get(text.slice(7))!.bytes : hex(text.slice(4));
  }
  return value as unknown as Frame;
}

function decodeAll(bytes: Uint8Array): Frame[] {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  decoder.push(bytes);
  while (decoder.next()) frames.push(decoder.frame());
  return frames;
}

describe('the golden vectors of docs/protocol.md', () => {
  it('have at least one for every frame type', () => {
    const types = [...vectors.values()].map(({ json }) => (JSON.parse(json) as { type: string }).type);
    expect([...new Set(types)].sort()).toEqual(Object.keys(FrameType).sort());
  });

  it.each([...vectors])('%s encodes to its bytes', (_name, { json, bytes }) => {
    expect(encodeFrame(frameOf(json))).toEqual(bytes);
  });

  it.each([...vectors])('%s decodes from its bytes', (_name, { json, bytes }) => {
    expect(decodeAll(bytes)).toEqual([frameOf(json)]);
  });

  it.each(blocks('golden-preface'))('$name is the preface', ({ lines }) => {
    expect(encodePreface(1)).toEqual(hex(lines[0]!));
    expect(decodePreface(hex(lines[0]!))).toBe(1);
  });

  it.each(blocks('golden-skipped'))('$name is skipped', ({ lines }) => {
    const ping = vectors.get('ping')!;
    expect(decodeAll(Uint8Array.of(...hex(lines.join(' ')), ...ping.bytes))).toEqual([frameOf(ping.json)]);
  });

  it.each(blocks('golden-malformed'))('$name is refused with its code', ({ lines }) => {
    expect(() => decodeAll(hex(lines.slice(1).join(' ')))).toThrow(
      expect.objectContaining({ code: lines[0] }),
    );
  });

  it.each(blocks('golden-malformed-preface'))('$name is refused with its code', ({ lines }) => {
    expect(() => decodePreface(hex(lines[1]!))).toThrow(expect.objectContaining({ code: lines[0] }));
  });

  it('are all read', () => {
    const fences = protocolDocument.match(/^```golden/gm) ?? [];
    const kinds = [
      'golden',
      'golden-preface',
      'golden-skipped',
      'golden-malformed',
      'golden-malformed-preface',
      'golden-names',
    ];
    expect(kinds.reduce((sum, kind) => sum + blocks(kind).length, 0)).toBe(fences.length);
    expect(fences.length).toBeGreaterThan(30);
  });
});

describe('the tables of docs/protocol.md', () => {
  it('list every frame type', () => {
    const rows = table(protocolDocument, 'type').map(([type, name]) => [name, Number.parseInt(type!, 16)]);
    expect(Object.fromEntries(rows)).toEqual(FrameType);
  });

  it('list every kind of notice', () => {
    const rows = table(protocolDocument, 'kind').map(([kind, name]) => [name, Number(kind)]);
    expect(Object.fromEntries(rows)).toEqual(NoticeKind);
  });

  it('list every close code with its name and whether the client may retry', () => {
    const rows = table(protocolDocument, 'code | name | retry').map(([code, name, retry]) => [
      code,
      name,
      retry,
    ]);
    expect(rows).toEqual(
      Object.values(CloseCode).map((code) => {
        const { name, retry } = closeCodeInfo(code);
        return [String(code), name, retry ? 'yes' : 'no'];
      }),
    );
  });

  it('list every failure code', () => {
    expect(table(protocolDocument, 'code | meaning').map(([code]) => code)).toEqual(
      Object.values(FailureCode),
    );
  });

  it('list every codec', () => {
    const rows = table(protocolDocument, 'tag').filter(([, name]) => name !== '');
    expect(rows.map(([tag]) => Number(tag))).toEqual(Object.values(CodecTag));
  });

  it('list every limit with its value', () => {
    const rows = table(protocolDocument, 'constant');
    const constants = Object.entries({ ...wellKnown, ...limits }).filter(
      ([, value]) => typeof value !== 'function',
    );
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(constants.map(([name, value]) => [name, String(value)])),
    );
  });
});
