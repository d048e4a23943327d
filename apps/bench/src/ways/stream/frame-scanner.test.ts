import { describe, expect, it } from 'vitest';
import { concat, cutEverywhere } from '../../../test/support/cuts.js';
import { NatsScanner } from '../brokers/nats.js';
import { RespScanner } from '../brokers/redis.js';
import { LengthPrefixScanner, type PayloadListener, type Scanner } from './frame-scanner.js';

const bodies = ['one', 'x'.repeat(70_000), 'three'];
const push = (body: string): string => `*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$${body.length}\r\n${body}\r\n`;

const sink = { write: () => {} };
const framings: [string, (listener: PayloadListener) => Scanner, Uint8Array][] = [
  [
    'a length before each',
    (listener) => new LengthPrefixScanner(listener),
    concat(
      bodies.flatMap((body) => [
        Uint8Array.of(body.length & 255, (body.length >> 8) & 255, body.length >> 16, 0),
        body,
      ]),
    ),
  ],
  ['RESP', (listener) => new RespScanner('room', undefined, listener), concat(bodies.map(push))],
  [
    'NATS',
    (listener) => new NatsScanner(sink, undefined, listener),
    concat(bodies.flatMap((body) => [`MSG room.far 1 ${body.length}\r\n${body}\r\n`, 'PING\r\n'])),
  ],
];

describe.each(framings)('the scanner of messages of any size with %s', (_name, scannerFor, stream) => {
  const cuts = cutEverywhere(stream).filter(({ name }) => name !== 'byte by byte');
  it.each(cuts)('hands over each message, $name', ({ chunks }) => {
    const seen: string[] = [];
    const scanner = scannerFor((bytes, start, end) =>
      seen.push(new TextDecoder().decode(bytes.subarray(start, end))),
    );
    for (const chunk of chunks) scanner.scan(chunk, 0, chunk.length);
    expect(seen).toEqual(bodies);
  });
});
