/**
 * Byte for byte what is in the log, however fast it comes and however slowly it is read.
 *
 * Catch-up must stop only when the socket really holds unsent bytes: a server that stops after a number of bytes
 * and waits for `drain` waits for ever when the system took them at once. 40 MB in one burst, and a reader that
 * pauses, would find it.
 */
import { createHash } from 'node:crypto';
import { encodeFrame, FrameType, readU32, ENTRY_SEQ_OFFSET as SEQ_OFFSET } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { CARRIERS, type CarrierName, station } from './support/carriers.js';
import { ManualClock } from './support/manual-clock.js';
import { seeded } from './support/seeded.js';
import { turn } from './support/turn.js';
import type { WireClient } from './support/wire-client.js';

/** Encryption makes up for the smaller burst: every write of TLS stays unsent for a turn. */
const BURST_BYTES: Readonly<Record<CarrierName, number>> = {
  TCP: 40_000_000,
  'Unix socket': 40_000_000,
  WebSocket: 40_000_000,
  TLS: 10_000_000,
  'WebSocket in TLS': 10_000_000,
};

/** Hashes the entries that arrive, frame by frame, without keeping them. */
class EntryHash {
  readonly #hash = createHash('sha256');
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;
  #last = -1;
  #done: (() => void) | undefined;
  bytes = 0;

  constructor({ pipe }: WireClient) {
    const { onBytes } = pipe;
    pipe.onBytes = (chunk) => {
      const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
      let offset = 0;
      while (bytes.length - offset >= 8 && bytes.length - offset >= readU32(bytes, offset)) {
        const frame = bytes.subarray(offset, offset + readU32(bytes, offset));
        offset += frame.length;
        if (frame[4] === FrameType.Message || frame[4] === FrameType.Notice) this.#add(frame);
        else onBytes(frame);
      }
      this.#rest = bytes.subarray(offset);
    };
  }

  /** Resolves with the hash of everything up to `last`, once that has arrived. */
  async upTo(last: number): Promise<string> {
    this.#last = last;
    if (this.#position < last) {
      await new Promise<void>((resolve) => {
        this.#done = resolve;
      });
    }
    expect(this.#position).toBe(last);
    return this.#hash.digest('hex');
  }

  #add(frame: Buffer): void {
    const position = frame.readUIntLE(SEQ_OFFSET, 6);
    if (this.#position === this.#last) return;
    this.#hash.update(frame);
    this.bytes += frame.length;
    this.#position = position;
    if (position === this.#last) this.#done?.();
  }
}

describe.each(CARRIERS)('a burst over %s', (carrier) => {
  it('reaches a reader that reads, one that pauses and one that comes late, the same to the byte', async () => {
    await using server = await station(carrier, {
      ...UNLIMITED,
      retentionBytes: 128_000_000,
      retentionEntries: 1_000_000,
      // Time stands still: a ping of an idle connection would set a stalled one going again.
      clock: new ManualClock(),
    });
    const random = seeded(11);
    const writer = await server.enter('writer');
    const { handle } = await writer.join('lobby');
    const readers = [await server.enter('fast'), await server.enter('pausing')];
    const hashes = readers.map((reader) => new EntryHash(reader));
    // Both see everything from the writer's own notice on.
    for (const reader of readers) await reader.join('lobby', { history: 100 });
    const pausing = readers[1]!.pipe;
    let paused = 0;
    let sent = 0;
    while (sent < BURST_BYTES[carrier]) {
      const frames: Uint8Array[] = [];
      for (let bytes = 0; bytes < 1_000_000; ) {
        const body = new Uint8Array(random.below(20) === 0 ? 60_000 : random.below(3000)).fill(
          random.below(256),
        );
        frames.push(
          encodeFrame({
            type: FrameType.Publish,
            room: handle,
            publishId: ++writer.publishId,
            codec: 0,
            body,
          }),
        );
        bytes += body.length + 16;
      }
      const run = Buffer.concat(frames);
      if (carrier.startsWith('WebSocket')) for (const frame of frames) writer.pipe.write(frame);
      else writer.pipe.write(run);
      sent += run.length;
      if (random.below(3) === 0) {
        pausing.pause();
        paused++;
      } else if (random.below(2) === 0) {
        pausing.resume();
      }
      await turn(random.below(3));
    }
    pausing.pause();
    await writer.take(FrameType.Ack, ({ publishId }) => publishId === writer.publishId);
    const last = await writer.say(handle, 'last');
    pausing.resume();
    const digests = await Promise.all(hashes.map((hash) => hash.upTo(last)));
    expect(paused).toBeGreaterThan(1);
    expect(digests[0]).toBe(digests[1]);
    expect(hashes[0]!.bytes).toBe(hashes[1]!.bytes);
    expect(hashes[0]!.bytes).toBeGreaterThan(BURST_BYTES[carrier]);
    expect(server.server.stats().readersClosed + server.server.stats().readersSkipped).toBe(0);

    const late = await server.enter('late');
    const hash = new EntryHash(late);
    const joined = await late.join('lobby', { after: 0, epoch: late.welcome!.epoch });
    expect(joined).toMatchObject({ start: 0, head: last });
    // All that, and nothing else: the notice of its own comes behind.
    expect(await hash.upTo(last)).toBe(digests[0]);
  }, 60_000);
});
