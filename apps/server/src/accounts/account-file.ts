/**
 * The file with the accounts: JSON that people can read, and nothing in it that lets anybody in.
 *
 * It is written anew as a whole, beside the old one, and renamed into its place: a reader sees the old or the new one,
 * and a command that is killed leaves the old one. Commands at the same time wait for each other at the file that
 * becomes the new one: it can be made once. A running server reads it when it has changed.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { userNameProblem } from '@chat/server';
import { isPasswordHash } from './password-hash.js';

/** Somebody whom the server knows. */
export interface Account {
  readonly name: string;
  /** See `password-hash.ts`. */
  readonly password: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

interface AccountFile {
  readonly version: 1;
  readonly accounts: readonly Account[];
}

/** Of the file in a data folder. */
const FILE_NAME = 'accounts.json';
/** A draft that is older belongs to a command that was killed: writing takes milliseconds. */
const STALE_DRAFT_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/** The accounts cannot be read or written: the sentence says why, and nothing of what is in the file. */
export class AccountFileError extends Error {}

/** The file of the accounts in a data folder. */
export function accountFileIn(directory: string): string {
  return join(directory, FILE_NAME);
}

/** Changes when the file does; empty where there is none. */
export function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.mtimeNs} ${stat.size} ${stat.ino}` : '';
}

/** @returns no accounts where there is no file @throws AccountFileError */
export function readAccounts(path: string): readonly Account[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AccountFileError(`cannot read the accounts: ${(error as Error).message}`);
  }
  const { version, accounts } = parse(text) as Partial<AccountFile>;
  if (version !== 1) throw new AccountFileError(`${path} has no accounts of this version of the program`);
  if (!Array.isArray(accounts) || !accounts.every(isAccount)) {
    throw new AccountFileError(`${path} is damaged: an account in it cannot be read`);
  }
  return accounts;
}

/**
 * Writes the accounts anew, as `change` makes them of those that are there; nobody else changes them meanwhile.
 *
 * @throws AccountFileError, and what `change` throws
 */
export async function changeAccounts(
  path: string,
  change: (accounts: readonly Account[]) => readonly Account[],
): Promise<void> {
  const draft = `${path}.draft`;
  const descriptor = await openDraft(draft);
  let isWritten = false;
  try {
    const accounts = change(readAccounts(path));
    const file: AccountFile = { version: 1, accounts };
    writeSync(descriptor, `${JSON.stringify(file, undefined, 2)}\n`);
    fsyncSync(descriptor);
    renameSync(draft, path);
    isWritten = true;
  } finally {
    closeSync(descriptor);
    if (!isWritten) unlinkSync(draft);
  }
  syncFolder(dirname(path));
}

/** Made by one command at a time. */
async function openDraft(draft: string): Promise<number> {
  for (;;) {
    try {
      return openSync(draft, 'wx', 0o600);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new AccountFileError(`cannot write the accounts: ${message}`);
    }
    const made = statSync(draft, { throwIfNoEntry: false });
    if (made && Date.now() - made.mtimeMs > STALE_DRAFT_MS) {
      unlinkSync(draft);
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** The name of a file lasts once its folder is on the disk; not every system lets a folder be opened. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // The file itself is whole.
  }
}

function parse(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

function isAccount(value: unknown): value is Account {
  const { name, password, createdAt } = Object(value) as Partial<Record<keyof Account, unknown>>;
  return (
    typeof name === 'string' &&
    userNameProblem(name) === undefined &&
    typeof password === 'string' &&
    isPasswordHash(password) &&
    typeof createdAt === 'string'
  );
}
