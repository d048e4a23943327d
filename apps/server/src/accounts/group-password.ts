/**
 * One password for all, in a file: for a small group that needs no accounts. Names are free.
 *
 * The file is looked at before each decision and once a second: whoever was let in by another password is out then. A
 * file that cannot be read lets nobody in.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from '@chat/server';
import { readSecret } from '../command-line/secret.js';
import { stampOf } from './account-file.js';

const LOOK_EVERY_MS = 1000;

/** The password of a group, whichever it is now. */
export interface GroupPassword {
  /** Says which password it is, and nothing about it. */
  readonly edition: string;
  onChange: () => void;
  is(password: string): boolean;
  look(): void;
  close(): void;
}

export class GroupPasswordFile implements GroupPassword {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #digest: Buffer | undefined;
  #stamp = '';
  onChange: () => void = () => {};

  /** @throws UsageError when the file cannot be read, or is empty; nothing of it is in the message */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#stamp = stampOf(path);
    this.#digest = digestOf(readSecret(path, 'password'));
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  get edition(): string {
    return this.#digest ? createHash('sha256').update(this.#digest).digest('base64url').slice(0, 16) : '';
  }

  /** In the same time for all. */
  is(password: string): boolean {
    return this.#digest !== undefined && timingSafeEqual(this.#digest, digestOf(password));
  }

  look(): void {
    const before = this.edition;
    try {
      const stamp = stampOf(this.#path);
      if (stamp === this.#stamp) return;
      this.#stamp = stamp;
      this.#digest = digestOf(readSecret(this.#path, 'password'));
    } catch (err) {
      this.#digest = undefined;
      this.#logger.error({ err }, 'the password cannot be read: it lets nobody in');
    }
    if (this.edition !== before) this.onChange();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** As with accounts, letters that are written in several ways are one, and spaces around do not count. */
function digestOf(password: string): Buffer {
  return createHash('sha256').update(password.trim().normalize('NFKC')).digest();
}
