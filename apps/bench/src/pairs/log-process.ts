/** A process that writes or reads one log in shared memory, as fast as it goes; for `npm run bench:shm`. */
import { type Log, type LogReader, openLog } from '@chat/shm';
import { serveRemote } from '../harness/remote.js';

/** What this process is asked to do. */
export interface LogOperations {
  open(params: { name: string; capacityBytes: number; reads: boolean }): void;
  /** Reads `count` entries reliably. @returns how many of them were lost */
  read(params: { count: number }): Promise<number>;
  /** Appends `count` entries, `batch` at a time. */
  append(params: { count: number; entryBytes: number; batch: number }): Promise<void>;
  close(params: object): void;
  [name: string]: (params: never) => unknown;
}

let log: Log;
let reader: LogReader;

const operations: LogOperations = {
  open({ name, capacityBytes, reads }) {
    log = openLog(name, { capacityBytes, keepAlive: true });
    if (reads) reader = log.reader({ reliable: true });
  },
  async read({ count }) {
    let looked = 0;
    for (let seen = 0; seen < count; ) {
      const read = reader.read((bytes, start) => {
        looked = (looked + bytes[start]!) | 0;
      });
      seen += read;
      if (read === 0) await reader.readable();
    }
    return reader.lost;
  },
  async append({ count, entryBytes, batch }) {
    const entry = new Uint8Array(entryBytes).fill(1);
    const entries = Array.from({ length: batch }, () => entry);
    for (let sent = 0; sent < count; ) {
      const appended = batch === 1 ? (log.tryAppend(entry) === undefined ? 0 : 1) : log.tryAppendAll(entries);
      sent += appended;
      if (appended > 0) continue;
      await log.append(entry);
      sent++;
    }
  },
  close: () => void log.closeAndRemoveIfLast(),
};

serveRemote(operations);
