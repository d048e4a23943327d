/**
 * Snapshots beside the stream, in a stream of their own. A snapshot is written in parts, each under a subject of its own,
 * and then the index says that it is there: so one whose writer was killed is as if it had never been begun. The index
 * names the two newest; what is older is removed. Nobody writes an index that another one has written meanwhile.
 */
import { randomBytes } from 'node:crypto';
import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsContext } from '../nats-context.js';
import type { StreamEpoch } from '../stream/epochs.js';
import { snapshotStream } from '../stream/stream.js';
import { decodeSnapshot, encodeSnapshot, type StreamSnapshot } from './encoding.js';

/** Bytes of a part; a NATS server takes messages of 1 MiB where it is not told otherwise. */
const PART_BYTES = 524_288;
/** What NATS needs of a message beside its bytes. */
const SPARE_BYTES = 1024;

/** A snapshot that can be read. */
export interface SnapshotEntry {
  readonly id: string;
  /** Number of the message of the stream up to which it knows all. */
  readonly position: number;
  /** Life of the stream, with the message with which it began, and the name of the first life. */
  readonly epoch: StreamEpoch;
  /** The first bytes of that message: no other one has them. */
  readonly last: string;
  readonly parts: number;
  /** Number of its first part among the messages of snapshots. */
  readonly first: number;
}

/** The newest snapshots, the newest first. */
export interface SnapshotIndex {
  /** Number of the message that says so; 0 for none. */
  readonly seq: number;
  readonly entries: readonly SnapshotEntry[];
}

/** Where it is told that there is another snapshot. */
export function indexSubject(stream: string): string {
  return `${stream}.snapshots.newest`;
}

export class SnapshotStore {
  readonly #context: NatsContext;
  readonly #client: JetStreamClient;

  constructor(context: NatsContext) {
    this.#context = context;
    this.#client = context.manager.jetstream();
  }

  async index(): Promise<SnapshotIndex> {
    const { manager, stream } = this.#context;
    const subject = indexSubject(stream);
    const message = await manager.streams.getMessage(snapshotStream(stream), { last_by_subj: subject });
    return message ? { seq: message.seq, entries: readIndex(message.string()) } : { seq: 0, entries: [] };
  }

  /** @throws Error when parts are missing or damaged */
  async read({ id, parts }: SnapshotEntry): Promise<StreamSnapshot> {
    const { manager, stream } = this.#context;
    const chunks: Uint8Array[] = [];
    for (let part = 0; part < parts; part++) {
      const last_by_subj = this.#partSubject(id, part);
      const message = await manager.streams.getMessage(snapshotStream(stream), { last_by_subj });
      if (!message) throw new Error(`part ${part} of snapshot ${id} is missing`);
      chunks.push(message.data);
    }
    return decodeSnapshot(Buffer.concat(chunks));
  }

  /**
   * Writes a snapshot, and removes those that are too old.
   *
   * @returns the index as it is then; one of somebody else, where that is newer
   */
  async write(snapshot: StreamSnapshot, epoch: StreamEpoch, last: string): Promise<SnapshotIndex> {
    const { stream, manager } = this.#context;
    const { position } = snapshot.blocks;
    const before = await this.index();
    if ((before.entries[0]?.position ?? 0) >= position) return before;
    const id = `${position}-${randomBytes(4).toString('hex')}`;
    const { parts, first } = await this.#writeParts(id, await encodeSnapshot(snapshot));
    const ofThisStream = before.entries.filter((entry) => entry.epoch.origin === epoch.origin);
    const entries = [{ id, position, epoch, last, parts, first }, ...ofThisStream].slice(0, 2);
    const expect = { lastSubjectSequence: before.seq };
    const { seq } = await this.#client.publish(indexSubject(stream), JSON.stringify(entries), { expect });
    await manager.streams.purge(snapshotStream(stream), { seq: entries.at(-1)!.first });
    return { seq, entries };
  }

  async #writeParts(id: string, bytes: Uint8Array): Promise<Pick<SnapshotEntry, 'parts' | 'first'>> {
    const { connection } = this.#context;
    const size = Math.min(PART_BYTES, (connection.info?.max_payload ?? PART_BYTES) - SPARE_BYTES);
    let first = 0;
    let parts = 0;
    for (let offset = 0; offset < bytes.length; offset += size) {
      const part = bytes.subarray(offset, offset + size);
      const { seq } = await this.#client.publish(this.#partSubject(id, parts), part);
      if (parts++ === 0) first = seq;
    }
    return { parts, first };
  }

  #partSubject(id: string, part: number): string {
    return `${this.#context.stream}.snapshots.${id}.${part}`;
  }
}

/** What an index says; nothing where it is none. */
export function readIndex(json: string): readonly SnapshotEntry[] {
  try {
    const entries: unknown = JSON.parse(json);
    return Array.isArray(entries) ? (entries as SnapshotEntry[]) : [];
  } catch {
    return [];
  }
}
