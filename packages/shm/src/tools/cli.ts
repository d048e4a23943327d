/**
 * `chat-shm`: looks at segments from a shell, and tidies up. It can be pointed at a running system at any time.
 *
 * Everything it knows it has from the public interface of the package: `list` and `inspect` map segments read-only and take no part,
 * `cleanup` and `remove` say in their names that they do. What is wrong with a file is one line on standard error.
 *
 *     0  done                 1  it could not be done; the line says why                 2  that is no command
 */
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanup, type DirectoryOptions, inspect, listSegments, ShmError, unlink } from '../index.js';
import { likelyMeant } from '../option-names.js';
import { formatCleanup, formatReport, formatTable, type ListedSegment } from './cli-text.js';

/** Where the program writes to; each call is one line or several whole ones. */
export interface CliOutput {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

const USAGE = `Usage: chat-shm <command> [options]

  list                 the segments of a folder: kind, size, who takes part, lock
  inspect <name>       one segment: header, participants alive and dead, positions, who is behind or has lost what
  cleanup              removes what the dead left: unfinished files, sockets, participant slots
  remove <name>        gives a name up; who has the segment open keeps it

  --directory <folder> where the segments are (default: /dev/shm, elsewhere the temp folder)
  --json               prints what was found as JSON
  --remove-abandoned   cleanup: also removes segments in which nobody takes part any more, with what is in them
  --help               shows this

A name may also be the path of the file.
list and inspect change nothing and disturb nobody. Exit code 1: it could not be done, 2: wrong usage.
`;

const SUFFIX = '.cshm';

/**
 * Runs the program.
 *
 * @param args - without the program itself
 * @returns the exit code
 */
export function runCli(args: readonly string[], { print, complain }: CliOutput): number {
  const request = parse(args);
  if (typeof request === 'string') {
    complain(`chat-shm: ${request}; see chat-shm --help\n`);
    return 2;
  }
  try {
    print(request());
    return 0;
  } catch (error) {
    if (!ShmError.is(error)) throw error;
    complain(`chat-shm: ${error.message} (${error.code})\n`);
    return 1;
  }
}

/** What is to be done, as a function that returns what to print; or what is wrong with the arguments. */
function parse(args: readonly string[]): (() => string) | string {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(args);
  } catch (error) {
    // Only the first sentence: what follows is advice for programmers.
    const reason = (error as Error).message.replace(/\. [\s\S]*$/, '');
    const unknown = /^Unknown option '--(.*)'$/.exec(reason)?.[1] ?? '';
    const meant = likelyMeant(unknown, Object.keys(OPTIONS));
    return meant === undefined ? reason : `${reason}, did you mean --${meant}?`;
  }
  const { directory, json, help, 'remove-abandoned': removeAbandoned } = parsed.values;
  const [command = 'list', ...names] = parsed.positionals;
  if (help) return () => USAGE;
  const where: DirectoryOptions = directory === undefined ? {} : { directory };
  const show = <T>(found: T, format: (found: T) => string): string =>
    json ? `${JSON.stringify(found, undefined, 2)}\n` : format(found);

  const commands: Record<string, { readonly takesName: boolean; run(name: string): string }> = {
    list: { takesName: false, run: () => show(look(where), formatTable) },
    inspect: {
      takesName: true,
      run: (name) => {
        const { name: found, ...folder } = locate(name, where);
        return show(inspect(found, folder), formatReport);
      },
    },
    cleanup: { takesName: false, run: () => show(cleanup({ ...where, removeAbandoned }), formatCleanup) },
    remove: {
      takesName: true,
      run: (name) => {
        const { name: found, ...folder } = locate(name, where);
        if (!unlink(found, folder)) throw new ShmError('ERR_SHM_NOT_FOUND', `there is no segment ${name}`);
        return show({ removed: found }, ({ removed }) => `removed ${removed}\n`);
      },
    },
  };
  const chosen = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (chosen === undefined) return `there is no command ${JSON.stringify(command)}`;
  if (names.length !== (chosen.takesName ? 1 : 0)) {
    return chosen.takesName ? `${command} takes one name` : `${command} takes no name`;
  }
  if (removeAbandoned && command !== 'cleanup') return '--remove-abandoned is for cleanup';
  return () => chosen.run(names[0] ?? '');
}

function parseOptions(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: OPTIONS,
  });
}

const OPTIONS = {
  directory: { type: 'string' },
  json: { type: 'boolean', default: false },
  'remove-abandoned': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** A name as it is, or the name and folder of a path. */
function locate(name: string, where: DirectoryOptions): DirectoryOptions & { readonly name: string } {
  if (!name.includes('/')) return { ...where, name };
  return { directory: dirname(name), name: basename(name, SUFFIX) };
}

/** Describes every segment of a folder, or says what is wrong with it. */
function look(where: DirectoryOptions): ListedSegment[] {
  return listSegments(where).flatMap((name): ListedSegment[] => {
    try {
      return [{ name, report: inspect(name, where) }];
    } catch (error) {
      if (!ShmError.is(error)) throw error;
      // Removed since the folder was read.
      if (error.code === 'ERR_SHM_NOT_FOUND') return [];
      return [{ name, error: { code: error.code, message: error.message } }];
    }
  });
}
