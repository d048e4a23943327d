/** A process with a few operations, for the tests of `Remote`. */
import { serveRemote } from '../../src/harness/remote.js';

export interface EchoOperations {
  double(params: { value: number }): number;
  fail(params: object): never;
  exit(params: object): never;
  [name: string]: (params: never) => unknown;
}

const operations: EchoOperations = {
  double: ({ value }) => value * 2,
  fail: () => {
    throw new Error('as asked');
  },
  exit: () => process.exit(3),
};

serveRemote(operations);
