/** What an operation is, and the fields that several have. */
import type { AdjustableLimits, ChatServer, DrainOptions, LimitOptions, ServerStats } from '@chat/server';
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
  /** One of those that know the same, where several processes are one chat. */
  readonly server: ChatServer;
  /** Goes away as at a signal; the process ends then, and the others with it. */
  drain(options: DrainOptions): void;
  /** Begins anew, and loses nobody: workers one after the other. Without workers, reads the certificate again. */
  reload(): void;
  /** The other processes that are one chat with this one. @defaultValue there are none */
  readonly machine?: Machine;
}

/** All processes of a machine that are one chat. */
export interface Machine {
  /**
   * Changes limits everywhere, also of those that come later.
   *
   * @throws ServerError `ERR_SERVER_BAD_OPTION`
   */
  adjust(limits: AdjustableLimits): Promise<void>;
  /** The limits as they are of all of them together. */
  limits(): Required<LimitOptions>;
  /** The figures of each, by its number. */
  stats(): Promise<readonly { readonly worker: number; readonly stats: ServerStats }[]>;
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
