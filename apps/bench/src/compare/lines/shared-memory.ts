/**
 * Shared memory as a line, through what a user of `@chat/shm` calls: the channel and the log, once asleep until
 * the doorbell rings and once polled, and the latest value, which can only be polled.
 *
 * A log has many readers, so the two ends use one each way; the reader that answers is a reliable one.
 */
import { openChannel, openLatest, openLog } from '@chat/shm';
import type { Line, LineListener, Mechanism } from '../line.js';

interface Params {
  readonly unique: string;
  readonly maxMessageBytes: number;
  readonly readers: number;
}

type OpenEnd = (params: Params, end: 'near' | 'far') => Line;

const MESSAGE_SHARE = 8;
const MIN_CAPACITY_BYTES = 1_048_576;
const HEADER_BYTES = 64;

export const shmChannelMechanism: Mechanism = mechanism((params, end) => channelLine(params, end, true));
export const shmChannelPolledMechanism: Mechanism = mechanism((params, end) =>
  channelLine(params, end, false),
);
export const shmLogMechanism: Mechanism = mechanism((params, end) => logLine(params, end, true));
export const shmLogPolledMechanism: Mechanism = mechanism((params, end) => logLine(params, end, false));
/** One writer, many readers of one log in one other process; the first of them gives credit. */
export const shmLogReadersMechanism: Mechanism = mechanism((params, end) =>
  end === 'near' ? logLine(params, end, false) : manyReadersLine(params),
);
export const shmLatestMechanism: Mechanism = mechanism(latestLine);

function mechanism(open: OpenEnd): Mechanism {
  return {
    async openNear({ unique, maxMessageBytes, readers, startFar }) {
      const params: Params = { unique, maxMessageBytes, readers };
      const line = open(params, 'near');
      await startFar(params);
      return line;
    },
    openFar: async (params: Params) => open(params, 'far'),
  };
}

/** The defaults of the package, unless a message needs more. */
function capacityFor(maxMessageBytes: number): number {
  let bytes = MIN_CAPACITY_BYTES;
  while (bytes < (maxMessageBytes + HEADER_BYTES) * MESSAGE_SHARE) bytes *= 2;
  return bytes;
}

function channelLine({ unique, maxMessageBytes }: Params, end: 'near' | 'far', sleeps: boolean): Line {
  const channel = openChannel(unique, {
    side: end === 'near' ? 'a' : 'b',
    capacityBytes: capacityFor(maxMessageBytes),
    keepAlive: true,
  });
  let listener: LineListener = () => {};
  return {
    send: (bytes) => channel.trySend(bytes),
    receive(to) {
      listener = to;
      if (sleeps) void whileReadable(channel, () => channel.read(listener));
    },
    ...(sleeps ? {} : { poll: () => channel.read(listener) > 0 }),
    async close() {
      channel.closeAndRemoveIfLast();
    },
  };
}

function logLine({ unique, maxMessageBytes }: Params, end: 'near' | 'far', sleeps: boolean): Line {
  const capacityBytes = capacityFor(maxMessageBytes);
  const [own, other] = end === 'near' ? ['there', 'back'] : ['back', 'there'];
  const outgoing = openLog(`${unique}-${own}`, { capacityBytes, keepAlive: true });
  const incoming = openLog(`${unique}-${other}`, { capacityBytes, keepAlive: true });
  const reader = incoming.reader({ reliable: true });
  let listener: LineListener = () => {};
  return {
    send: (bytes) => outgoing.tryAppend(bytes) !== undefined,
    receive(to) {
      listener = to;
      if (sleeps) void whileReadable(reader, () => reader.read(listener));
    },
    ...(sleeps ? {} : { poll: () => reader.read(listener) > 0 }),
    async close() {
      outgoing.closeAndRemoveIfLast();
      incoming.closeAndRemoveIfLast();
    },
  };
}

function manyReadersLine({ unique, maxMessageBytes, readers }: Params): Line {
  const capacityBytes = capacityFor(maxMessageBytes);
  const outgoing = openLog(`${unique}-back`, { capacityBytes });
  const incoming = openLog(`${unique}-there`, { capacityBytes });
  const first = incoming.reader();
  const others = Array.from({ length: readers - 1 }, () => incoming.reader());
  let listener: LineListener = () => {};
  let seen = 0;
  const count = (): void => {
    seen++;
  };
  return {
    send: (bytes) => outgoing.tryAppend(bytes) !== undefined,
    receive(to) {
      listener = to;
    },
    poll() {
      // The others first: when the first one gives credit, all have read what it credits.
      const { last } = incoming;
      const limit = last - first.next + 1;
      if (limit <= 0) return false;
      for (const reader of others) {
        seen = 0;
        reader.read(count, limit);
        if (seen !== limit || reader.lost > 0) throw new Error(`a reader missed ${limit - seen} entries`);
      }
      return first.read(listener, limit) > 0;
    },
    async close() {
      outgoing.close();
      incoming.close();
    },
  };
}

function latestLine({ unique, maxMessageBytes }: Params, end: 'near' | 'far'): Line {
  const [own, other] = end === 'near' ? ['there', 'back'] : ['back', 'there'];
  const outgoing = openLatest(`${unique}-${own}`, { maxValueBytes: maxMessageBytes });
  const incoming = openLatest(`${unique}-${other}`, { maxValueBytes: maxMessageBytes });
  const value = new Uint8Array(maxMessageBytes);
  let listener: LineListener = () => {};
  let seen = incoming.version;
  return {
    send(bytes) {
      outgoing.write(bytes);
      return true;
    },
    receive(to) {
      listener = to;
    },
    poll() {
      const { version } = incoming;
      if (version === seen) return false;
      seen = version;
      listener(value, 0, incoming.readInto(value) ?? 0);
      return true;
    },
    async close() {
      for (const latest of [outgoing, incoming]) {
        latest.segment.unlink();
        latest.close();
      }
    },
  };
}

/** The loop that the package documents for reading in batches. */
async function whileReadable(source: { readable(): Promise<boolean> }, read: () => void): Promise<void> {
  while (await source.readable()) read();
}
