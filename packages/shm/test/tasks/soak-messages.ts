/** Ring and log under random kills: who gets a role keeps it until he is killed, and his successor goes on. */
import assert from 'node:assert/strict';
import { ShmError } from '../../src/errors.js';
import { type Log, openLog } from '../../src/log/log.js';
import type { LogReader } from '../../src/log/reader.js';
import { openRing, type Ring } from '../../src/ring/ring.js';
import type { SoakPart } from './soak-part.js';

const CAPACITY_BYTES = 65_536;
const MAX_WORDS = 500;

/** Messages that show when they are torn, lost, doubled or out of order: who sent them, which one it is, and the sum of both all over. */
class Source {
  readonly #id: number;
  #sent = 0;

  constructor(random: number) {
    this.#id = random + 1;
  }

  /** The next message, `words` longer than the shortest. Call {@link sent} once it is sent. */
  next(words: number): Uint8Array {
    const message = new Int32Array(2 + words).fill(this.#id ^ (this.#sent + 1));
    message[0] = this.#id;
    message[1] = this.#sent + 1;
    return new Uint8Array(message.buffer);
  }

  sent(): void {
    this.#sent++;
  }
}

/** Checks messages of many sources as one reader sees them. */
class Sink {
  readonly #last = new Map<number, number>();

  /** `gaps` allows that some were missed. */
  check(bytes: Uint8Array, start: number, end: number, gaps: boolean): void {
    const words = new Int32Array(bytes.slice(start, end).buffer);
    const [id = 0, number = 0] = words;
    for (let i = 2; i < words.length; i++) assert.equal(words[i], id ^ number, 'torn');
    const last = this.#last.get(id);
    if (last !== undefined) {
      if (gaps) assert.ok(number > last, `source ${id}: ${number} after ${last}`);
      else assert.equal(number, last + 1, `source ${id}: ${number} after ${last}`);
    }
    this.#last.set(id, number);
  }
}

interface RingUser {
  readonly ring: Ring;
  readonly source: Source;
  readonly sink: Sink;
  writes: boolean;
  reads: boolean;
}

/** Runs `body` if nobody else has the role; returns whether this process has it. */
function inRole(body: () => void): boolean {
  try {
    body();
    return true;
  } catch (error) {
    if (!ShmError.is(error) || error.code !== 'ERR_SHM_ROLE_TAKEN') throw error;
    return false;
  }
}

export const ringPart: SoakPart<RingUser> = {
  name: 'ring',
  create: ({ directory }) => openRing('ring', { directory, capacityBytes: CAPACITY_BYTES }).close(),
  prepare: ({ directory }, random) => ({
    ring: openRing('ring', { directory, mode: 'open' }),
    source: new Source(random(2 ** 30)),
    sink: new Sink(),
    writes: false,
    reads: false,
  }),
  act(user, random) {
    const { ring, source, sink } = user;
    user.writes = inRole(() => {
      for (let i = random(100); i > 0 && ring.tryWrite(source.next(random(MAX_WORDS))); i--) source.sent();
    });
    user.reads = inRole(() => {
      ring.read((bytes, start, end) => sink.check(bytes, start, end, false), random(200));
    });
  },
  verify({ directory }) {
    using ring = openRing('ring', { directory, mode: 'open' });
    const sink = new Sink();
    const waiting = ring.read((bytes, start, end) => sink.check(bytes, start, end, false));
    assert.ok(ring.tryWrite(new Uint8Array(8)));
    assert.equal(
      ring.read(() => {}),
      1,
    );
    return { waiting };
  },
};

interface LogUserReader {
  readonly reader: LogReader;
  readonly sink: Sink;
  /** The last entry seen, and the losses reported up to it. */
  number: number;
  lost: number;
}

interface LogUser {
  readonly log: Log;
  readonly source: Source;
  readonly readers: readonly LogUserReader[];
}

/** A reliable reader; undefined while a writer is stopped in the middle of an append, who cannot be asked to wait for it. */
function reliableReader(log: Log): LogReader | undefined {
  try {
    return log.reader({ start: 'next', reliable: true });
  } catch (error) {
    if (!ShmError.is(error) || error.code !== 'ERR_SHM_LOCK_TIMEOUT') throw error;
    return undefined;
  }
}

export const logPart: SoakPart<LogUser> = {
  name: 'log',
  create: ({ directory }) => openLog('log', { directory, capacityBytes: CAPACITY_BYTES }).close(),
  prepare({ directory }, random) {
    const log = openLog('log', { directory, mode: 'open' });
    // A reliable reader that is stopped holds the writers back, so that not all of them should be.
    const reliable = random(2) === 0 ? reliableReader(log) : undefined;
    const readers = reliable === undefined ? [] : [reliable];
    readers.push(log.reader({ start: 'oldest' }));
    return {
      log,
      source: new Source(random(2 ** 30)),
      readers: readers.map((reader) => ({ reader, sink: new Sink(), number: 0, lost: 0 })),
    };
  },
  act({ log, source, readers }, random) {
    for (let i = random(50); i > 0 && log.tryAppend(source.next(random(MAX_WORDS))) !== undefined; i--) {
      source.sent();
    }
    for (const user of readers) {
      const { reader, sink } = user;
      reader.read((bytes, start, end, number) => {
        // Every number comes, or is counted as lost.
        if (user.number !== 0) {
          assert.equal(number, user.number + 1 + reader.lost - user.lost, 'the numbers do not add up');
        }
        sink.check(bytes, start, end, reader.lost > 0);
        user.number = number;
        user.lost = reader.lost;
      }, random(200));
      if (reader.reliable) assert.equal(reader.lost, 0, 'a reliable reader was overtaken');
    }
  },
  verify({ directory }) {
    using log = openLog('log', { directory, mode: 'open' });
    const entries = log.last;
    assert.equal(log.tryAppend(new Uint8Array(8)), entries + 1, 'the dead hold writers back');
    return { entries };
  },
};
