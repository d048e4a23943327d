/** Core NATS as a line: each end subscribes to its own subject and publishes to that of the other. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../../process/server-process.js';
import type { Line, LineListener, Mechanism } from '../line.js';
import { type Measure, MessageSplitter } from '../message-splitter.js';
import { brokerMechanism, createCommand, readDigits } from './broker.js';
import { TurnWriter } from './turn-writer.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const M = 'M'.charCodeAt(0);
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"protocol":0}\r\n';

export const natsMechanism: Mechanism = brokerMechanism(openLine);

async function openLine(address: Address, own: string, other: string): Promise<Line> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  socket.write(`${CONNECT}SUB ${own} 1\r\nPING\r\n`);
  for (let seen = ''; !seen.includes('PONG\r\n'); ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen += chunk.toString('latin1');
    if (seen.includes('-ERR')) throw new Error(seen);
  }
  return new NatsLine(socket, other);
}

class NatsLine implements Line {
  readonly #socket: Socket;
  readonly #writer: TurnWriter;
  readonly #other: string;

  constructor(socket: Socket, other: string) {
    this.#socket = socket;
    this.#writer = new TurnWriter(socket);
    this.#other = other;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#writer.full) return false;
    this.#writer.write(createCommand(`PUB ${this.#other} ${bytes.length}\r\n`, bytes));
    return true;
  }

  receive(listener: LineListener): void {
    const splitter = new MessageSplitter(measureMessage, listener);
    this.#socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      // A ping comes alone, when nothing else does; a server that gets no answer for minutes would leave.
      if (chunk.length === 6 && chunk.toString('latin1') === 'PING\r\n') this.#socket.write('PONG\r\n');
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }
}

/** Measures `MSG subject sid bytes CR LF body CR LF`; any other line is one without a body. */
export const measureMessage: Measure = (bytes, start, end) => {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline === -1 || newline >= end) return undefined;
  const body = newline + 1;
  if (bytes[start] !== M) return { payload: body, payloadEnd: body, end: body };
  const length = readDigits(bytes, bytes.lastIndexOf(SPACE, newline) + 1, newline - 1);
  return { payload: body, payloadEnd: body + length, end: body + length + 2 };
};
