/**
 * What may be done with a data folder from outside: a copy, a check, lines of JSON. The server may be running, but for
 * `import`, which makes a folder anew.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { backupStore, checkStore, exportStore, importStore } from '@chat/server/sqlite';
import { UsageError } from '../command-line/usage-error.js';

const USAGE = 2;
const FAILED = 1;
/** What is read of a file at a time. */
const CHUNK_BYTES = 1_048_576;

interface StoreCommand {
  /** Arguments, as they are named in help. */
  readonly args: readonly string[];
  readonly text: string;
  /** @returns the exit code */
  run(args: readonly string[], print: (line: string) => void): number;
}

/** Every command there is, by name. */
export const STORE_COMMANDS: Readonly<Record<string, StoreCommand>> = {
  backup: {
    args: ['data', 'target'],
    text: 'copies a data folder, checked; the server may be running',
    run: ([directory, target], print) => {
      const { entries, position } = backupStore({ directory: directory!, target: target! });
      print(`${entries} entries up to position ${position}, checked`);
      return 0;
    },
  },
  check: {
    args: ['data'],
    text: 'checks every entry of a data folder; exit code 1 when something is wrong',
    run: ([directory], print) => {
      const { entries, blocks, position, damaged, problems } = checkStore({ directory: directory! });
      print(`${entries} entries in ${blocks} blocks, up to position ${position}`);
      for (const { from, to } of damaged) print(`damaged: positions ${from} to ${to}`);
      for (const problem of problems) print(problem);
      return damaged.length + problems.length === 0 ? 0 : FAILED;
    },
  },
  export: {
    args: ['data'],
    text: 'prints a data folder as lines of JSON',
    run: ([directory], print) => {
      for (const line of exportStore({ directory: directory! })) print(line);
      return 0;
    },
  },
  import: {
    args: ['data', 'file'],
    text: 'makes a data folder of such lines',
    run: ([directory, file], print) => {
      if (!existsSync(file!)) throw new UsageError(`there is no file ${file}`, USAGE);
      print(`${importStore({ directory: directory!, lines: linesOf(file!) })} entries`);
      return 0;
    },
  },
};

/** The help of these commands, a line each. */
export function storeCommandsHelp(): string {
  const lines = Object.entries(STORE_COMMANDS).map(([name, { args, text }]) => {
    const usage = [name, ...args.map((arg) => `<${arg}>`)].join(' ');
    return `  ${usage.padEnd(26)} ${text}`;
  });
  return ['', 'Commands for a data folder:', ...lines].join('\n');
}

/**
 * Runs a command of the store, if the command line begins with one.
 *
 * @returns the exit code; `undefined` when it is no such command
 * @throws UsageError
 */
export function runStoreCommand(
  [name = '', ...args]: readonly string[],
  print: (line: string) => void,
): number | undefined {
  const command = Object.hasOwn(STORE_COMMANDS, name) ? STORE_COMMANDS[name] : undefined;
  if (!command) return undefined;
  if (args.length !== command.args.length) {
    throw new UsageError(
      `usage: chat-server ${name} ${command.args.map((arg) => `<${arg}>`).join(' ')}`,
      USAGE,
    );
  }
  return command.run(args, print);
}

/** The lines of a file that may be larger than memory; empty ones are left out. */
function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for (let bytes = readSync(descriptor, chunk); bytes > 0; bytes = readSync(descriptor, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, bytes))).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line !== '') yield line;
    }
    rest += decoder.end();
    if (rest !== '') yield rest;
  } finally {
    closeSync(descriptor);
  }
}
