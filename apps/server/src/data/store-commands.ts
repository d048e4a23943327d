/**
 * What may be done with a data folder from outside: a copy, a check, lines of JSON, forgetting. The server may be running,
 * but for `import`, which makes a folder anew, and `forget`.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { parseArgs } from 'node:util';
import { roomKey } from '@chat/protocol';
import { backupStore, checkStore, exportStore, forgetStored, importStore } from '@chat/server/sqlite';
import { UsageError } from '../command-line/usage-error.js';

const USAGE = 2;
const FAILED = 1;
/** What is read of a file at a time. */
const CHUNK_BYTES = 1_048_576;

interface StoreCommand {
  /** Arguments, as they are named in help. */
  readonly args: readonly string[];
  readonly text: string;
  /** Whether it takes `--user`, `--member` and `--room`; `needed`: one of them must be there. */
  readonly selection?: 'allowed' | 'needed';
  /** @returns the exit code */
  run(args: readonly string[], print: (line: string) => void, selection: Selection): number;
}

/** What was said by whom, and where. */
interface Selection {
  readonly name?: string;
  readonly member?: number;
  readonly room?: string;
}

const SELECTION = { user: { type: 'string' }, member: { type: 'string' }, room: { type: 'string' } } as const;
const SELECTION_USAGE = '[--user <name>] [--member <id>] [--room <name>]';

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
    text: 'prints a data folder, or what was said by whom or where, as lines of JSON',
    selection: 'allowed',
    run: ([directory], print, selection) => {
      for (const line of exportStore({ directory: directory!, ...selection })) print(line);
      return 0;
    },
  },
  forget: {
    args: ['data'],
    text: 'removes what was said by a user, by a member, or in a room; the server must be down',
    selection: 'needed',
    run: ([directory], print, selection) => {
      print(`${forgetStored({ directory: directory!, ...selection })} entries removed`);
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

/** The help of these commands. */
export function storeCommandsHelp(): string {
  const lines = Object.entries(STORE_COMMANDS).flatMap(([name, { args, text, selection }]) => {
    const usage = [name, ...args.map((arg) => `<${arg}>`)].join(' ');
    const line = `  ${usage.padEnd(26)} ${text}`;
    return selection ? [line, `  ${' '.repeat(26)} ${SELECTION_USAGE}`] : [line];
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
  [name = '', ...argv]: readonly string[],
  print: (line: string) => void,
): number | undefined {
  const command = Object.hasOwn(STORE_COMMANDS, name) ? STORE_COMMANDS[name] : undefined;
  if (!command) return undefined;
  const words = command.args.map((arg) => `<${arg}>`);
  const usage = ['usage: chat-server', name, ...words, ...(command.selection ? [SELECTION_USAGE] : [])].join(
    ' ',
  );
  const { args, selection } = parse(argv, command, usage);
  const isMissing = command.selection === 'needed' && Object.keys(selection).length === 0;
  if (args.length !== command.args.length || isMissing) throw new UsageError(usage, USAGE);
  return command.run(args, print, selection);
}

function parse(
  argv: readonly string[],
  command: StoreCommand,
  usage: string,
): { readonly args: readonly string[]; readonly selection: Selection } {
  if (!command.selection) return { args: argv, selection: {} };
  let parsed: ReturnType<typeof parseArgs<{ options: typeof SELECTION; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: SELECTION, allowPositionals: true });
  } catch {
    throw new UsageError(usage, USAGE);
  }
  const { user, member, room } = parsed.values;
  if (member !== undefined && !/^\d+$/.test(member)) {
    throw new UsageError(`--member is the number of a member, got ${member}`, USAGE);
  }
  const selection = {
    ...(user === undefined ? {} : { name: user }),
    ...(member === undefined ? {} : { member: Number(member) }),
    ...(room === undefined ? {} : { room: roomKey(room) }),
  };
  return { args: parsed.positionals, selection };
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
