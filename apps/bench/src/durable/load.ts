/** The process that loads a server that stores: a publisher that counts acknowledgements, or a reader of old history. */
import { serveRemote } from '../harness/remote.js';
import type { Address } from '../harness/server-process.js';
import { storingOf } from '../ways/storing/index.js';
import { AckedPublisher, type AckedResult } from './acked-publisher.js';
import { PageReader, type PagesResult } from './page-reader.js';

/** What this process is asked to do. */
export interface DurableOperations {
  /** Connects a publisher to something that stores. */
  publish(params: {
    target: string;
    address: Address;
    serverPid: number;
    payloadBytes: number;
  }): Promise<void>;
  /** Keeps `window` publishes unacknowledged. */
  window(params: { window: number; durationMs: number }): Promise<AckedResult>;
  /** Reads pages of 100 of a room, at random positions up to `newest`. */
  pages(params: {
    address: Address;
    serverPid: number;
    room: string;
    newest: number;
    durationMs: number;
  }): Promise<PagesResult>;
  [name: string]: (params: never) => unknown;
}

let publisher: AckedPublisher | undefined;
/** By room. */
const readers = new Map<string, PageReader>();

const operations: DurableOperations = {
  async publish({ target, payloadBytes, address, serverPid }) {
    publisher = await AckedPublisher.connect(storingOf(target).wire(payloadBytes), address, serverPid);
  },
  window: ({ window, durationMs }) => publisher!.run(window, durationMs),
  async pages({ address, serverPid, room, newest, durationMs }) {
    const reader = readers.get(room) ?? (await PageReader.connect(address, serverPid, room));
    readers.set(room, reader);
    return reader.run(newest, durationMs);
  },
};

serveRemote(operations);
