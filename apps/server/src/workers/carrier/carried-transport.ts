/**
 * Blocks through a process that carries them: a worker sends them to it, and reads what it has stored, or what has come to
 * it through NATS. So nobody applies a block that could still be lost.
 */
import type { BlockReceiver, Durability } from '@chat/server';
import type { Log } from '@chat/shm';
import { type Join, ShmTransport } from '../shm-transport.js';
import { decodeRecord } from './stream-record.js';

export class CarriedTransport extends ShmTransport {
  readonly durability: Durability;
  /** Told where the log asks this process for a snapshot. */
  onSnapshotDue: (() => void) | undefined;
  readonly #process: number;

  /**
   * @param process this one
   * @param stream what counts; closed with the transport, as `wanted` is
   * @param wanted read by the process that carries blocks
   */
  constructor(
    process: number,
    { stream, wanted }: { readonly stream: Log; readonly wanted: Log },
    durability: Durability,
    epoch: string,
    join: Join,
  ) {
    super(stream, epoch, join, wanted);
    this.#process = process;
    this.durability = durability;
  }

  protected override deliver(receiver: BlockReceiver, bytes: Uint8Array): void {
    const record = decodeRecord(bytes);
    switch (record.kind) {
      case 'block':
        receiver.block(record.position, record.bytes);
        return;
      case 'resend':
        receiver.resend();
        return;
      case 'refused':
        receiver.refused(record.origin, record.number, record.reason);
        return;
      case 'condition':
        receiver.condition(record.condition);
        return;
      case 'snapshot':
        if (record.process === this.#process) this.onSnapshotDue?.();
        return;
      case 'begins':
        return;
    }
  }
}
