/** The program of a thread of the store: does what `store-thread.ts` calls for, and answers. */
import { parentPort, workerData } from 'node:worker_threads';
import { ServerError } from '../../errors.js';
import { storeError, toErrorMessage } from '../store-error.js';
import { readerOperations } from './reader-operations.js';
import { searchOperations } from './search-operations.js';
import type { CallMessage, ThreadData } from './store-thread.js';
import { Transferred } from './transferred.js';
import { writerOperations } from './writer-operations.js';

type Operations = Readonly<Record<string, (argument: never) => unknown>>;

const ROLES: Readonly<Record<string, (options: never) => object>> = {
  writer: writerOperations,
  reader: readerOperations,
  search: searchOperations,
};

const { role, options } = workerData as ThreadData;
const operations = ROLES[role]!(options as never) as Operations;
const port = parentPort!;

port.on('message', async ({ id, operation, argument }: CallMessage) => {
  try {
    const value = await operations[operation]!(argument as never);
    if (value instanceof Transferred) port.postMessage({ id, value: value.value }, value.transfer);
    else port.postMessage({ id, value });
  } catch (error) {
    port.postMessage({
      id,
      error: toErrorMessage(ServerError.is(error) ? error : storeError(error, 'the store')),
    });
  }
});
