import { randomBytes } from 'node:crypto';
import { openLog, unlink } from '@chat/shm';
import { describeBlockTransport } from '../../../../packages/server/test/support/block-transport-contract.js';
import { ShmTransport } from '../../src/workers/shm-transport.js';

describeBlockTransport('a log in shared memory', () => {
  const name = `test-${process.pid}-${randomBytes(6).toString('hex')}`;
  const capacityBytes = 16_777_216;
  const transports: ShmTransport[] = [];
  return {
    transport: () => {
      const log = openLog(name, { capacityBytes, keepAlive: true });
      if (transports.length === 0) unlinkAtExit(name);
      const transport = new ShmTransport(log, 'epoch', async () => ({}));
      transports.push(transport);
      return transport;
    },
  };
});

/** The memory goes with the last handle; the file would stay. */
function unlinkAtExit(name: string): void {
  process.once('exit', () => unlink(name));
}
