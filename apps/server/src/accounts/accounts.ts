/**
 * The accounts as a running server knows them: by the looks of their names, so that nobody can be taken for one of
 * them, and always as the file has them.
 *
 * The file is watched, looked at once a second where a file system does not tell, and before each decision. A file that
 * cannot be read changes nothing: whoever had an account has it still, and the operator is told.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { MAX_NAME_BYTES, nameKey } from '@chat/protocol';
import { type Logger, looks } from '@chat/server';
import { type Account, readAccounts, stampOf } from './account-file.js';

const LOOK_EVERY_MS = 1000;

export class Accounts {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #byLook = new Map<string, Account>();
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #stamp = '';
  /** Told when the accounts have changed. */
  onChange: () => void = () => {};

  /** @throws AccountFileError */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#read();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    this.#watcher = this.#watch();
  }

  /** How many there are. */
  get count(): number {
    return new Set(this.#byLook.values()).size;
  }

  /** The account of that name, in whatever case it is written. */
  find(name: string): Account | undefined {
    const account = this.#lookingLike(name);
    return account && nameKey(account.name) === nameKey(name) ? account : undefined;
  }

  /** Whether an account has this name, or one that looks like it. */
  has(name: string): boolean {
    return this.#lookingLike(name) !== undefined;
  }

  /** Reads the file again if it has changed. */
  look(): void {
    try {
      if (stampOf(this.#path) === this.#stamp) return;
      this.#read();
    } catch (err) {
      this.#logger.error({ err }, 'the accounts cannot be read: those that were known last are good');
      return;
    }
    this.#logger.info({ accounts: this.count }, 'the accounts have changed');
    this.onChange();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  #lookingLike(name: string): Account | undefined {
    // Strangers may ask for anything; what is no name costs nothing.
    if (name.length > MAX_NAME_BYTES) return undefined;
    for (const look of looks(name)) {
      const account = this.#byLook.get(look);
      if (account) return account;
    }
    return undefined;
  }

  #read(): void {
    // Before the reading: what changes meanwhile is seen the next time.
    this.#stamp = stampOf(this.#path);
    const accounts = readAccounts(this.#path);
    this.#byLook.clear();
    for (const account of accounts) for (const look of looks(account.name)) this.#byLook.set(look, account);
  }

  /** The folder, since the file is another one after each change. */
  #watch(): FSWatcher | undefined {
    const name = basename(this.#path);
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) this.look();
      });
      return watcher.on('error', () => watcher.close());
    } catch {
      return undefined;
    }
  }
}

/** What an account is good for changes with its password: what was let in by another one is known by this. */
export function editionOf({ password }: Account): string {
  return createHash('sha256').update(password).digest('base64url').slice(0, 16);
}
