/**
 * `chat-server user`: who has an account. The server may be running: it knows what has changed at once.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { nameKey } from '@chat/protocol';
import { looks, userNameProblem } from '@chat/server';
import { checkSecret, readSecret } from '../command-line/secret.js';
import { UsageError } from '../command-line/usage-error.js';
import {
  type Account,
  AccountFileError,
  accountFileIn,
  changeAccounts,
  readAccounts,
} from './account-file.js';
import type { SecretReader } from './ask-secret.js';
import { PasswordHasher } from './password-hash.js';

/** The surroundings of a command. */
export interface UserCommandContext {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly secrets: SecretReader;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly hasher?: PasswordHasher;
}

interface UserCommand {
  /** Whether it is about one account. */
  readonly takesName: boolean;
  readonly takesPassword: boolean;
  readonly text: string;
  run(request: UserRequest, context: UserCommandContext): Promise<void>;
}

interface UserRequest {
  readonly name: string;
  /** The file with the accounts. */
  readonly path: string;
  readonly passwordFile: string | undefined;
}

const FAILED = 1;
const USAGE = 2;
/** Of the environment. */
const PASSWORD = 'CHAT_PASSWORD';
const MIN_PASSWORD_LENGTH = 8;
const MAX_PASSWORD_LENGTH = 1024;

const OPTIONS = {
  data: { type: 'string' },
  accounts: { type: 'string' },
  'password-file': { type: 'string' },
} as const;

/** What may be done with accounts, by name. */
export const USER_COMMANDS: Readonly<Record<string, UserCommand>> = {
  add: {
    takesName: true,
    takesPassword: true,
    text: 'gives somebody an account; the password is asked for',
    async run({ name, path, passwordFile }, context) {
      const problem = userNameProblem(name);
      if (problem) throw new UsageError(problem, USAGE);
      mustBeFree(readAccounts(path), name);
      const password = await hashed(passwordFile, name, context);
      makeFolderOf(path);
      await changeAccounts(path, (accounts) => {
        mustBeFree(accounts, name);
        return [...accounts, { name, password, createdAt: new Date().toISOString() }];
      });
      context.print(`${name} has an account; nobody else gets this name, or one that looks like it`);
    },
  },
  passwd: {
    takesName: true,
    takesPassword: true,
    text: 'changes the password; whoever is in by the old one is out',
    async run({ name, path, passwordFile }, context) {
      mustBeThere(readAccounts(path), name);
      const password = await hashed(passwordFile, name, context);
      await changeAccounts(path, (accounts) => {
        const account = mustBeThere(accounts, name);
        return accounts.map((other) => (other === account ? { ...account, password } : other));
      });
      context.print(`${name} has another password; sessions that were let in by the old one end`);
    },
  },
  remove: {
    takesName: true,
    takesPassword: false,
    text: 'takes the account away; whoever is in by it is out',
    async run({ name, path }, { print }) {
      mustBeThere(readAccounts(path), name);
      await changeAccounts(path, (accounts) => {
        const account = mustBeThere(accounts, name);
        return accounts.filter((other) => other !== account);
      });
      print(`${name} has no account any more, and the name is free`);
    },
  },
  list: {
    takesName: false,
    takesPassword: false,
    text: 'prints the accounts, one a line: name and day',
    async run({ path }, { print }) {
      for (const { name, createdAt } of readAccounts(path)) print(`${name}\t${createdAt.slice(0, 10)}`);
    },
  },
};

/** The help of these commands. */
export function userCommandsHelp(): string {
  const lines = Object.entries(USER_COMMANDS).map(([name, command]) => {
    return `  ${usageOf(name, command).padEnd(26)} ${command.text}`;
  });
  return [
    '',
    'Accounts, in a data folder (--data <folder>) or a file (--accounts <file>):',
    ...lines,
    '  A password comes from the terminal, --password-file <file>, CHAT_PASSWORD, or the first line of a pipe.',
  ].join('\n');
}

/** @returns the exit code @throws UsageError */
export async function runUserCommand(argv: readonly string[], context: UserCommandContext): Promise<number> {
  const [word = '', ...args] = argv;
  const command = Object.hasOwn(USER_COMMANDS, word) ? USER_COMMANDS[word] : undefined;
  if (!command) {
    if (word !== '--help' && word !== 'help')
      throw new UsageError(`usage: chat-server user ${wordsOf()}`, USAGE);
    context.print(userCommandsHelp().trimStart());
    return 0;
  }
  const request = parse(args, word, command);
  try {
    await command.run(request, context);
    return 0;
  } catch (error) {
    if (!(error instanceof AccountFileError)) throw error;
    context.complain(`chat-server: ${error.message}`);
    return FAILED;
  }
}

function wordsOf(): string {
  return `${Object.keys(USER_COMMANDS).join('|')} …; user --help says more`;
}

function usageOf(name: string, { takesName }: UserCommand): string {
  return `user ${name}${takesName ? ' <name>' : ''}`;
}

function parse(argv: readonly string[], name: string, command: UserCommand): UserRequest {
  const password = command.takesPassword ? ' [--password-file <file>]' : '';
  const usage = `usage: chat-server ${usageOf(name, command)} --data <folder>${password}`;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch {
    // What stands there may be a password: it is not repeated.
    throw new UsageError(usage, USAGE);
  }
  const { data, accounts, 'password-file': passwordFile } = parsed.values;
  const isComplete = (data === undefined) !== (accounts === undefined);
  const hasTooMuch = passwordFile !== undefined && !command.takesPassword;
  if (!isComplete || hasTooMuch || parsed.positionals.length !== (command.takesName ? 1 : 0)) {
    throw new UsageError(usage, USAGE);
  }
  return { name: parsed.positionals[0] ?? '', path: accounts ?? accountFileIn(data!), passwordFile };
}

/** @throws UsageError when somebody has the name, or one that looks like it */
function mustBeFree(accounts: readonly Account[], name: string): void {
  const wanted = looks(name);
  const other = accounts.find((account) => looks(account.name).some((look) => wanted.includes(look)));
  if (!other) return;
  if (nameKey(other.name) === nameKey(name))
    throw new UsageError(`${other.name} has an account already`, FAILED);
  throw new UsageError(`${name} looks like ${other.name}, who has an account`, FAILED);
}

/** @throws UsageError */
function mustBeThere(accounts: readonly Account[], name: string): Account {
  const account = accounts.find((other) => nameKey(other.name) === nameKey(name));
  if (!account) throw new UsageError(`${name} has no account`, FAILED);
  return account;
}

/** The hash of a password, wherever it comes from. */
async function hashed(
  file: string | undefined,
  name: string,
  { secrets, environment, hasher = new PasswordHasher() }: UserCommandContext,
): Promise<string> {
  const fromEnvironment = environment[PASSWORD];
  const password =
    file !== undefined
      ? readSecret(file, 'password')
      : fromEnvironment !== undefined
        ? checkSecret(fromEnvironment, 'password', PASSWORD)
        : await askedFor(name, secrets);
  if (password.length < MIN_PASSWORD_LENGTH || password.length > MAX_PASSWORD_LENGTH) {
    const allowed = `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH}`;
    throw new UsageError(`a password has ${allowed} characters, got ${password.length}`, FAILED);
  }
  // In the line dialect spaces around it cannot be told from those of the line.
  if (password !== password.trim())
    throw new UsageError('a password must not begin or end with a space', FAILED);
  return hasher.hash(password);
}

async function askedFor(name: string, secrets: SecretReader): Promise<string> {
  const password = await secrets.ask(`Password for ${name}: `);
  if (password === undefined) throw new UsageError('no password was given', FAILED);
  if (secrets.isTerminal && (await secrets.ask('Once more: ')) !== password) {
    throw new UsageError('the two are not the same', FAILED);
  }
  return password;
}

function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AccountFileError(`cannot make the folder: ${(error as Error).message}`);
  }
}
