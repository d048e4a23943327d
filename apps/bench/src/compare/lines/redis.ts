/** Redis pub/sub as a line: each end subscribes to its own channel and publishes to that of the other. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../../process/server-process.js';
import type { Line, LineListener, Mechanism } from '../line.js';
import { type Measure, MessageSplitter } from '../message-splitter.js';
import { brokerMechanism, createCommand, readDigits } from './broker.js';
import { TurnWriter } from './turn-writer.js';

const NEWLINE = 0x0a;
const ARRAY = '*'.charCodeAt(0);

export const redisMechanism: Mechanism = brokerMechanism(openLine);

async function openLine(address: Address, own: string, other: string): Promise<Line> {
  const subscriber = connect({ ...address, noDelay: true });
  const publisher = connect({ ...address, noDelay: true });
  await Promise.all([once(subscriber, 'connect'), once(publisher, 'connect')]);
  subscriber.write(`*2\r\n$9\r\nSUBSCRIBE\r\n$${own.length}\r\n${own}\r\n`);
  await once(subscriber, 'data');
  publisher.resume();
  return new RedisLine(subscriber, publisher, other);
}

class RedisLine implements Line {
  readonly #subscriber: Socket;
  readonly #publisher: Socket;
  readonly #writer: TurnWriter;
  readonly #head: string;

  constructor(subscriber: Socket, publisher: Socket, other: string) {
    this.#subscriber = subscriber;
    this.#publisher = publisher;
    this.#writer = new TurnWriter(publisher);
    this.#head = `*3\r\n$7\r\nPUBLISH\r\n$${other.length}\r\n${other}\r\n$`;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#writer.full) return false;
    this.#writer.write(createCommand(`${this.#head}${bytes.length}\r\n`, bytes));
    return true;
  }

  receive(listener: LineListener): void {
    const splitter = new MessageSplitter(measurePush, listener);
    this.#subscriber.on('data', (chunk: Buffer) => splitter.push(chunk));
  }

  async close(): Promise<void> {
    this.#subscriber.destroy();
    this.#publisher.destroy();
  }
}

/** Measures `*3 $7 message $n channel $m body`: seven line ends, and the sixth line says how long the body is. */
export const measurePush: Measure = (bytes, start, end) => {
  if (bytes[start] !== ARRAY) throw new Error(`a push begins with byte ${bytes[start]}`);
  let lineStart = start;
  let bodyBytes = 0;
  for (let line = 0; line < 6; line++) {
    const newline = bytes.indexOf(NEWLINE, lineStart);
    if (newline === -1 || newline >= end) return undefined;
    // Digits after `$`; only those of the last line are used.
    if (line === 5) bodyBytes = readDigits(bytes, lineStart + 1, newline - 1);
    lineStart = newline + 1;
  }
  return { payload: lineStart, payloadEnd: lineStart + bodyBytes, end: lineStart + bodyBytes + 2 };
};
