/** What an operation is, and the fields that several have. */
import type { ChatServer, DrainOptions } from '@chat/server';
import {
  bodyNumber,
  bodySentence,
  type Field,
  type Fields,
  type Input,
  pathText,
  queryCount,
  queryText,
} from '../fields.js';

/** What operations work on. */
export interface ApiContext {
  readonly server: ChatServer;
  /** Goes away as at a signal; the process ends then. */
  drain(options: DrainOptions): void;
}

/** One thing that can be done. */
export interface Operation {
  /** Name of the command, and `operationId`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; `{room}` stands for a field of the path. */
  readonly path: string;
  readonly summary: string;
  readonly fields: Fields;
  /** The status of success. */
  readonly status: number;
  /** What success answers, in words. */
  readonly answer: string;
  run(context: ApiContext, input: object): object | undefined | Promise<object | undefined>;
}

export function operation<Described extends Fields>(
  row: Omit<Operation, 'fields' | 'run'> & {
    readonly fields: Described;
    run(context: ApiContext, input: Input<Described>): ReturnType<Operation['run']>;
  },
): Operation {
  return { ...row, run: (context, input) => row.run(context, input as Input<Described>) };
}

export const ROOM: Field<string> = pathText('name of the room');
export const USER: Field<string> = pathText('name of the user');
export const LIMIT: Field<number | undefined> = queryCount('how many, at the most', 1);
export const CURSOR: Field<string | undefined> = queryText('`cursor` of the page before');
export const REASON: Field<string | undefined> = bodySentence('told to who is shown out');
export const DURATION: Field<number | undefined> = bodyNumber('how long, in milliseconds', 1, true);
