/**
 * The log of `@chat/shm`. It has many readers, so the two ends of a pair use one log each way; the reader that
 * answers is a reliable one. `shm-log-readers` has one writer and many readers of one log in one other process.
 */
import { openLog } from '@chat/shm';
import type { PayloadListener } from '../stream/frame-scanner.js';
import type { End, Line, PairParams, Way } from '../way.js';
import { capacityFor, directions, memoryPair, whileReadable } from './memory-pair.js';

export const polledLog: Way = {
  id: 'shm-log-polled',
  pair: memoryPair('log (polled)', true, (params, end) => logLine(params, end, false)),
};

export const sleepingLog: Way = {
  id: 'shm-log',
  pair: memoryPair('log (doorbell)', false, (params, end) => logLine(params, end, true)),
};

/** The first of the readers gives credit, when all have read what it credits. */
export const logReaders: Way = {
  id: 'shm-log-readers',
  pair: memoryPair('log with many readers', true, (params, end) =>
    end === 'near' ? logLine(params, end, false) : manyReadersLine(params),
  ),
};

function logLine({ unique, maxMessageBytes }: PairParams, end: End, sleeps: boolean): Line {
  const capacityBytes = capacityFor(maxMessageBytes);
  const names = directions(unique, end);
  const outgoing = openLog(names.outgoing, { capacityBytes, keepAlive: true });
  const incoming = openLog(names.incoming, { capacityBytes, keepAlive: true });
  const reader = incoming.reader({ reliable: true });
  let listener: PayloadListener = () => {};
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

function manyReadersLine({ unique, maxMessageBytes, readers }: PairParams): Line {
  const capacityBytes = capacityFor(maxMessageBytes);
  const names = directions(unique, 'far');
  const outgoing = openLog(names.outgoing, { capacityBytes });
  const incoming = openLog(names.incoming, { capacityBytes });
  const first = incoming.reader();
  const others = Array.from({ length: readers - 1 }, () => incoming.reader());
  let listener: PayloadListener = () => {};
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
