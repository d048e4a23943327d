/** Redis Streams: XADD, with the append-only file flushed before each answer. */
import { programVersion, startServer, tcpOf } from '../../harness/server-process.js';
import { respCommand } from '../brokers/redis.js';
import { FrameScanner, measureTextLine } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import { ROOM } from '../way.js';
import type { Storing } from './storing.js';

const BULK = '$'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const TAIL_BYTES = 2;
const encoder = new TextEncoder();

export const redisStreams: Storing = {
  name: 'Redis Streams',
  program: 'redis-server',
  version: () => programVersion('redis-server'),
  startServer: (folder) =>
    startServer((address) => {
      const { host, port } = tcpOf(address);
      const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
      return ['redis-server', '--bind', host, '--port', String(port), '--dir', folder, ...durable];
    }),
  wire: (payloadBytes) => ({
    async enter() {
      const payload = new TextDecoder().decode(createPayload(payloadBytes));
      const bytes = encoder.encode(respCommand('XADD', ROOM, '*', 'm', payload));
      return { bytes, payloadOffset: bytes.length - payloadBytes - TAIL_BYTES };
    },
    scanner: () => new IdScanner(),
  }),
};

/** Each answer is the id of an entry: a line with its length, and a line with it. */
class IdScanner extends FrameScanner {
  constructor() {
    super(0, 0);
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    const line = measureTextLine(bytes, offset, end);
    if (line === 0) return 0;
    if (bytes[offset] === MINUS) {
      throw new Error(new TextDecoder().decode(bytes.subarray(offset, offset - line)).trim());
    }
    // The line with the length is passed over, the one with the id counts.
    return bytes[offset] === BULK ? line : -line;
  }
}
