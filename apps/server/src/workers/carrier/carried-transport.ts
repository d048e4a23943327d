/**
 * Blocks through a process that carries them: a worker sends them to the one that has the store, and reads what that has
 * stored. So nobody applies a block that could still be lost.
 */
import type { BlockReceiver, Durability } from '@chat/server';
import type { Log } from '@chat/shm';
import { type Join, ShmTransport } from '../shm-transport.js';
import { decodeRecord } from './stream-record.js';

export class CarriedTransport extends ShmTransport {
  readonly durability: Durability;

  /**
   * @param stream what is stored; closed with the transport, as `wanted` is
   * @param wanted read by the process of the store
   */
  constructor(stream: Log, wanted: Log, durability: Durability, epoch: string, join: Join) {
    super(stream, epoch, join, wanted);
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
    }
  }
}
