import { CodecTag } from '@chat/protocol';
import { decodeFrame, encodeFrame, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { concat, cutEverywhere } from '../../test/support/cuts.js';
import { fanoutOf } from './index.js';
import { createPayload, writePayloadNumber } from './stream/payload.js';
import type { SkimSocket } from './stream/skim-socket.js';

const PAYLOAD_BYTES = 64;

function payload(number: number): Uint8Array {
  const bytes = createPayload(PAYLOAD_BYTES);
  writePayloadNumber(bytes, 0, number);
  return bytes;
}

function serverFrame(opcode: number, body: Uint8Array): Uint8Array {
  const header =
    body.length < 126
      ? [0x80 | opcode, body.length]
      : [0x80 | opcode, 126, body.length >> 8, body.length & 255];
  return concat([Uint8Array.from(header), body]);
}

function chatMessage(number: number, seq = number, prev = number - 1): Uint8Array {
  return encodeFrame({
    type: FrameType.Message,
    codec: CodecTag.Text,
    room: 1,
    sender: 2,
    name: 'publisher',
    seq,
    prev,
    at: 1_700_000_000_000,
    body: payload(number),
  });
}

const chatPing = encodeFrame({ type: FrameType.Ping, nonce: 5 });
const chatNotice = encodeFrame({
  type: FrameType.Notice,
  kind: NoticeKind.Joined,
  room: 1,
  sender: 3,
  name: 'ada',
  seq: 3,
  prev: 2,
  at: 0,
  body: new Uint8Array(0),
});
const chatAck = encodeFrame({ type: FrameType.Ack, publishId: 1, seq: 1, at: 0 });
const text = (number: number): string => new TextDecoder().decode(payload(number));

/** What a server of each kind sends: three messages, with a ping and other things between them. */
const streams: Record<string, { stream: Uint8Array; answers: string }> = {
  chat: {
    stream: concat([chatMessage(1), chatAck, chatMessage(2), chatPing, chatNotice, chatMessage(3, 4, 3)]),
    answers: hex(encodeFrame({ type: FrameType.Pong, nonce: 5 })),
  },
  'chat (websocket)': {
    stream: concat([
      serverFrame(2, concat([chatMessage(1), chatAck, chatMessage(2)])),
      serverFrame(9, Uint8Array.of(1, 2)),
      serverFrame(2, concat([chatNotice, chatMessage(3, 4, 3)])),
    ]),
    answers: hex(Uint8Array.of(0x8a, 0x82, 0, 0, 0, 0, 1, 2)),
  },
  'chat (line)': {
    stream: concat([
      `publisher: ${text(1)}\n`,
      '*** ada has joined the chat\n',
      `publisher: ${text(2)}\npublisher: ${text(3)}\n`,
    ]),
    answers: '',
  },
  bare: { stream: concat([chatMessage(1), chatMessage(2), chatMessage(3)]), answers: '' },
  ws: {
    stream: concat([
      serverFrame(2, payload(1)),
      serverFrame(9, Uint8Array.of(7)),
      serverFrame(2, payload(2)),
      serverFrame(2, payload(3)),
    ]),
    answers: hex(Uint8Array.of(0x8a, 0x81, 0, 0, 0, 0, 7)),
  },
  'socket.io': {
    stream: concat([
      serverFrame(1, concat([`42["m","${text(1)}"]`])),
      serverFrame(1, concat(['2'])),
      serverFrame(1, concat([`42["m","${text(2)}"]`])),
      serverFrame(1, concat([`42["m","${text(3)}"]`])),
    ]),
    answers: hex(concat([Uint8Array.of(0x81, 0x81, 0, 0, 0, 0), '3'])),
  },
  redis: {
    stream: concat([1, 2, 3].map((n) => `*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$64\r\n${text(n)}\r\n`)),
    answers: '',
  },
  nats: {
    stream: concat([
      `MSG room 1 64\r\n${text(1)}\r\n`,
      'PING\r\n',
      `MSG room 1 64\r\n${text(2)}\r\nMSG room 1 64\r\n${text(3)}\r\n`,
    ]),
    answers: hex(concat(['PONG\r\n'])),
  },
};

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe.each(Object.entries(streams))('the scanner of %s', (name, { stream, answers }) => {
  it.each(cutEverywhere(stream))('counts three messages and answers pings, $name', ({ chunks }) => {
    let written = '';
    const scanner = fanoutOf(name)
      .fanout.wire(PAYLOAD_BYTES)
      .scanner({
        write: (bytes) => {
          written += hex(concat([bytes]));
        },
      });
    expect(chunks.reduce((sum, chunk) => sum + scanner.scan(chunk, 0, chunk.length), 0)).toBe(3);
    expect(written).toBe(answers);
  });

  it.each(cutEverywhere(stream))('hands over each body whole when it checks, $name', ({ chunks }) => {
    const bodies: string[] = [];
    const scanner = fanoutOf(name)
      .fanout.wire(PAYLOAD_BYTES)
      .scanner({ write: () => {} }, (bytes, start, end) => {
        bodies.push(hex(bytes.slice(start, end)));
      });
    expect(chunks.reduce((sum, chunk) => sum + scanner.scan(chunk, 0, chunk.length), 0)).toBe(3);
    expect(bodies).toEqual([1, 2, 3].map((number) => hex(payload(number))));
  });
});

describe('the scanner of chat, when it checks', () => {
  it('throws when an entry does not follow the one before it', () => {
    const scanner = fanoutOf('chat')
      .fanout.wire(PAYLOAD_BYTES)
      .scanner({ write: () => {} }, () => {});
    const stream = concat([chatMessage(1), chatMessage(3, 3, 2)]);
    expect(() => scanner.scan(stream, 0, stream.length)).toThrow('follows 2, but the last one here was 1');
  });

  it('throws at a gap', () => {
    const scanner = fanoutOf('chat')
      .fanout.wire(PAYLOAD_BYTES)
      .scanner({ write: () => {} }, () => {});
    const gap = encodeFrame({ type: FrameType.Gap, room: 1, from: 4, to: 9 });
    expect(() => scanner.scan(gap, 0, gap.length)).toThrow('from 4 to 9');
  });
});

describe('the publisher of bare', () => {
  it('sends the entries that our server would, each with its number', async () => {
    const socket = { read: async (parse: (bytes: Uint8Array) => unknown) => void parse(Uint8Array.of(46)) };
    const frame = await fanoutOf('bare')
      .fanout.wire(PAYLOAD_BYTES)
      .enter(socket as unknown as SkimSocket);
    for (const number of [1, 70_000]) {
      writePayloadNumber(frame.bytes, frame.payloadOffset, number);
      frame.stamp!(frame.bytes, 0, number);
      expect(decodeFrame(frame.bytes)).toMatchObject({
        type: FrameType.Message,
        seq: number,
        prev: number - 1,
        body: payload(number),
      });
    }
  });
});
