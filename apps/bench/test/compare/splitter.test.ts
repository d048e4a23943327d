import { describe, expect, it } from 'vitest';
import { measureMessage } from '../../src/compare/lines/nats.js';
import { measurePush } from '../../src/compare/lines/redis.js';
import { type Measure, MessageSplitter, measureLengthPrefix } from '../../src/compare/message-splitter.js';
import { concat, cutEverywhere } from '../support/cuts.js';

const bodies = ['one', 'x'.repeat(70_000), 'three'];
const push = (body: string): string => `*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$${body.length}\r\n${body}\r\n`;

const framings: [string, Measure, Uint8Array][] = [
  [
    'a length before each',
    measureLengthPrefix,
    concat(
      bodies.flatMap((body) => [
        Uint8Array.of(body.length & 255, (body.length >> 8) & 255, body.length >> 16, 0),
        body,
      ]),
    ),
  ],
  ['RESP', measurePush, concat(bodies.map(push))],
  [
    'NATS',
    measureMessage,
    concat(bodies.flatMap((body) => [`MSG room.far 1 ${body.length}\r\n${body}\r\n`, 'PING\r\n'])),
  ],
];

describe.each(framings)('MessageSplitter with %s', (_name, measure, stream) => {
  const cuts = cutEverywhere(stream).filter(({ name }) => name !== 'byte by byte');
  it.each(cuts)('finds each message, $name', ({ chunks }) => {
    const seen: string[] = [];
    const splitter = new MessageSplitter(measure, (bytes, start, end) =>
      seen.push(new TextDecoder().decode(bytes.subarray(start, end))),
    );
    for (const chunk of chunks) splitter.push(chunk);
    expect(seen).toEqual(bodies);
  });
});
