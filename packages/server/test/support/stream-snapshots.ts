/** Snapshots of tests: of a stream with nothing in it that a server would understand. */
import { randomBytes } from 'node:crypto';
import type { StreamSnapshot } from '../../src/nats/snapshot/encoding.js';

/** @param bytes of the tail, which cannot be compressed */
export function bigSnapshot(position: number, bytes: number): StreamSnapshot {
  return {
    sum: position,
    begun: [],
    blocks: {
      version: 1,
      position,
      numbers: [[12, 3]],
      state: { position: position * 1024, lastMember: 0, lastRoom: 0, sessions: [], rooms: [], bans: [] },
      tail: [
        { first: 1024, bytes: Buffer.from(randomBytes(bytes)) },
        { first: 9000, bytes: Buffer.from(randomBytes(5)) },
      ],
      floors: [['lobby', 4]],
    },
  };
}
