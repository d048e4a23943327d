/** The logs in shared memory of one life of the chat: made by the supervisor, and given up by it. */
import { randomBytes } from 'node:crypto';
import type { Log } from '@chat/shm';

/** Names of logs in shared memory begin so. */
export const LOG_PREFIX = 'chat-server-';

export class SharedLogs {
  readonly #openLog: (name: string) => Log;
  readonly #isCarried: boolean;
  #log: Log;
  #wanted: Log | undefined;
  /** Names this life; empty until the process that carries blocks has said which it is. */
  epoch: string = '';

  /**
   * @param isCarried whether blocks wait in a log of their own for the process that carries them
   * @throws ShmError where there is no shared memory
   */
  constructor(openLog: (name: string) => Log, isCarried: boolean) {
    this.#openLog = openLog;
    this.#isCarried = isCarried;
    this.#log = openLog(newName());
    this.#begin();
  }

  /** Name of the log that all workers read. */
  get log(): string {
    return this.#log.name;
  }

  /** Name of the log in which blocks wait to be carried. */
  get wanted(): string | undefined {
    return this.#wanted?.name;
  }

  /** Another life: nobody who has the logs of this one can go on with it. */
  renew(): void {
    this.close();
    this.#log = this.#openLog(newName());
    this.#begin();
  }

  close(): void {
    for (const log of [this.#log, this.#wanted]) {
      log?.unlink();
      log?.close();
    }
  }

  #begin(): void {
    this.#wanted = this.#isCarried ? this.#openLog(newName()) : undefined;
    this.epoch = this.#isCarried ? '' : randomBytes(9).toString('base64url');
  }
}

/** A name in shared memory that nobody else has. */
export function newName(): string {
  return `${LOG_PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`;
}
