/** NATS JetStream: a stream in a file, one replica; each publish is acknowledged to an inbox. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, programVersion, startServer, tcpOf } from '../../harness/server-process.js';
import { FrameScanner, measureTextLine } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import { frameText, readDigits } from '../stream/stream-line.js';
import { ROOM } from '../way.js';
import type { Storing } from './storing.js';

const PROGRAM = 'nats-server';
const TAIL = '\r\n';
const M = 'M'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const P = 'P'.charCodeAt(0);
const SPACE = 0x20;
const STREAM = 'BENCH';
const ACKS = 'acks';
/** From this version on it can be told to flush before it acknowledges. */
const FLUSHES_SINCE = [2, 10];

export const jetStream: Storing = {
  name: 'NATS JetStream',
  program: PROGRAM,
  version: () => programVersion(findProgram(PROGRAM) ?? PROGRAM),
  caveat: () =>
    canFlush()
      ? undefined
      : `${programVersion(PROGRAM)} cannot flush before it acknowledges (that needs 2.10): it promises less`,
  startServer(folder) {
    const config = join(folder, 'nats.conf');
    const store = join(folder, 'jetstream');
    mkdirSync(store, { recursive: true });
    const flush = canFlush() ? 'sync_interval: always' : '';
    writeFileSync(config, `jetstream { store_dir: "${store}" ${flush} }\n`);
    return startServer((address) => {
      const { host, port } = tcpOf(address);
      return [findProgram(PROGRAM) ?? PROGRAM, '-c', config, '-a', host, '-p', String(port)];
    });
  },
  wire: (payloadBytes) => ({
    async enter(socket) {
      await makeStream(socket);
      const head = `PUB ${ROOM} ${ACKS} ${payloadBytes}${TAIL}`;
      return { bytes: frameText(head, createPayload(payloadBytes), TAIL), payloadOffset: head.length };
    },
    scanner: (socket) => new AckScanner(socket),
  }),
};

function canFlush(): boolean {
  const [major = 0, minor = 0] = programVersion(findProgram(PROGRAM) ?? PROGRAM)
    .split('.')
    .map(Number);
  const [needed = 0, since = 0] = FLUSHES_SINCE;
  return major > needed || (major === needed && minor >= since);
}

async function makeStream(socket: SkimSocket): Promise<void> {
  const stream = { name: STREAM, subjects: [ROOM], storage: 'file', num_replicas: 1, retention: 'limits' };
  const body = JSON.stringify({ ...stream, max_consumers: -1, max_msgs: -1, max_bytes: -1, discard: 'old' });
  const connect = 'CONNECT {"verbose":false,"pedantic":false,"protocol":0}';
  const request = `PUB $JS.API.STREAM.CREATE.${STREAM} made ${body.length}${TAIL}${body}`;
  socket.write([connect, `SUB ${ACKS} 1`, 'SUB made 2', request, ''].join(TAIL));
  await socket.read((bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (text.includes('-ERR') || text.includes('"error"')) throw new Error(text.trim());
    const answer = /MSG made 2 (\d+)\r\n/.exec(text);
    const length = answer ? answer.index + answer[0].length + Number(answer[1]) + TAIL.length : 0;
    return answer && bytes.length >= length ? length : undefined;
  });
}

/** Counts the answers to publishes. */
class AckScanner extends FrameScanner {
  readonly #socket: SkimSocket;

  constructor(socket: SkimSocket) {
    super(0, 0);
    this.#socket = socket;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    const line = measureTextLine(bytes, offset, end);
    if (line === 0) return 0;
    const lineEnd = offset - line;
    if (bytes[offset] === M) {
      const body = readDigits(bytes, bytes.lastIndexOf(SPACE, lineEnd) + 1, lineEnd - TAIL.length);
      return lineEnd - offset + body + TAIL.length;
    }
    if (bytes[offset] === P) this.#socket.write(`PONG${TAIL}`);
    if (bytes[offset] === MINUS)
      throw new Error(new TextDecoder().decode(bytes.subarray(offset, lineEnd)).trim());
    return line;
  }
}
