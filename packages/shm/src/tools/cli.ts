/**
 * `chat-shm`: looks at segments from a shell, and tidies up. It can be pointed at a running system at any time.
 *
 * Everything it knows it has from the public interface of the package: `list`, `inspect` and `watch` read files and take no part,
 * `cleanup` and `remove` say in their names that they do. What is wrong with a file is one line on standard error.
 *
 *     0  done                 1  it could not be done; the line says why                 2  that is no command
 */
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanup, type DirectoryOptions, inspect, listSegments, ShmError, unlink } from '../index.js';
import { likelyMeant } from '../option-names.js';
import { formatCleanup, formatRates, formatReport, formatTable, type ListedSegment } from './cli-text.js';

/** Where the program writes to; each call is one line or several whole ones. */
export interface CliOutput {
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** What a command is given. */
interface Request {
  readonly name: string;
  readonly where: DirectoryOptions;
  readonly values: ReturnType<typeof parseOptions>['values'];
  show<T>(found: T, format: (found: T) => string): string;
}

interface Command {
  readonly name: 'none' | 'one' | 'maybe';
  readonly about: string;
  /** Options beside those of all commands. */
  readonly options?: readonly string[];
  run(request: Request): string | AsyncIterable<string>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  list: {
    name: 'none',
    about: 'the segments of a folder: kind, size, who takes part, lock',
    run: ({ where, show }) => show(look(where), formatTable),
  },
  inspect: {
    name: 'one',
    about: 'one segment: header, participants alive and dead, positions, who is behind or has lost what',
    run: ({ name, where, show }) => show(inspect(name, where), formatReport),
  },
  watch: {
    name: 'maybe',
    about: 'what each participant does, of one segment or of all, each second; ends with Ctrl-C',
    options: ['interval', 'times'],
    run: watch,
  },
  cleanup: {
    name: 'none',
    about: 'removes what the dead left: unfinished files, sockets, participant slots',
    options: ['remove-abandoned'],
    run: ({ where, values, show }) =>
      show(cleanup({ ...where, removeAbandoned: values['remove-abandoned'] }), formatCleanup),
  },
  remove: {
    name: 'one',
    about: 'gives a name up; who has the segment open keeps it',
    run: ({ name, where, show }) => {
      if (!unlink(name, where)) throw new ShmError('ERR_SHM_NOT_FOUND', `there is no segment ${name}`);
      return show({ removed: name }, ({ removed }) => `removed ${removed}\n`);
    },
  },
};

const OPTIONS = {
  directory: { type: 'string' },
  json: { type: 'boolean', default: false },
  interval: { type: 'string', default: '1000' },
  times: { type: 'string', default: 'Infinity' },
  'remove-abandoned': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const NAMES = { none: '', one: ' <name>', maybe: ' [name]' } as const;
const USAGE = `Usage: chat-shm <command> [options]

${Object.entries(COMMANDS)
  .map(([command, { name, about }]) => `  ${(command + NAMES[name]).padEnd(20)} ${about}\n`)
  .join('')}
  --directory <folder> where the segments are (default: /dev/shm, elsewhere the temp folder)
  --json               prints what was found as JSON
  --interval <ms>      watch: how often (default: 1000)
  --times <n>          watch: how many times (default: until it is stopped)
  --remove-abandoned   cleanup: also removes segments in which nobody takes part any more, with what is in them
  --help               shows this

A name may also be the path of the file.
list, inspect and watch change nothing and disturb nobody. Exit code 1: it could not be done, 2: wrong usage.
`;

const SUFFIX = '.cshm';

/**
 * Runs the program.
 *
 * @param args - without the program itself
 * @returns the exit code; of `watch` a promise of it
 */
export function runCli(args: readonly string[], { print, complain }: CliOutput): number | Promise<number> {
  const request = parse(args);
  if (typeof request === 'string') {
    complain(`chat-shm: ${request}; see chat-shm --help\n`);
    return 2;
  }
  const failed = (error: unknown): number => {
    if (!ShmError.is(error)) throw error;
    complain(`chat-shm: ${error.message} (${error.code})\n`);
    return 1;
  };
  try {
    const found = request();
    if (typeof found !== 'string') return printAll(found, print).catch(failed);
    print(found);
    return 0;
  } catch (error) {
    return failed(error);
  }
}

async function printAll(found: AsyncIterable<string>, print: CliOutput['print']): Promise<number> {
  for await (const text of found) print(text);
  return 0;
}

/** What is to be done, as a function that returns what to print; or what is wrong with the arguments. */
function parse(args: readonly string[]): (() => string | AsyncIterable<string>) | string {
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
  const { values, tokens } = parsed;
  const [command = 'list', ...names] = parsed.positionals;
  if (values.help) return () => USAGE;
  const chosen = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (chosen === undefined) return `there is no command ${JSON.stringify(command)}`;
  const { name: takes, options = [] } = chosen;
  if (takes === 'none' && names.length > 0) return `${command} takes no name`;
  if ((takes === 'one' && names.length !== 1) || names.length > 1) return `${command} takes one name`;
  for (const token of tokens) {
    if (token.kind !== 'option' || ['directory', 'json'].includes(token.name) || options.includes(token.name))
      continue;
    const owner = Object.entries(COMMANDS).find(([, other]) => other.options?.includes(token.name))?.[0];
    return `--${token.name} is for ${owner}`;
  }
  for (const option of ['interval', 'times'] as const) {
    if (!(Number(values[option]) >= 1)) return `--${option} is a number of 1 or more`;
  }
  const show: Request['show'] = (found, format) =>
    values.json ? `${JSON.stringify(found, undefined, 2)}\n` : format(found);
  const where: DirectoryOptions = values.directory === undefined ? {} : { directory: values.directory };
  return () => chosen.run({ ...locate(names[0] ?? '', where), values, show });
}

function parseOptions(args: readonly string[]) {
  return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS, tokens: true });
}

/** A name as it is, or the name and folder of a path. */
function locate(
  name: string,
  where: DirectoryOptions,
): { readonly name: string; readonly where: DirectoryOptions } {
  if (!name.includes('/')) return { where, name };
  return { where: { directory: dirname(name) }, name: basename(name, SUFFIX) };
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

/** What each participant did between two looks, per second. */
async function* watch({ name, where, values, show }: Request): AsyncGenerator<string, void, undefined> {
  const interval = Number(values.interval);
  let before = new Map<string, Readonly<Record<string, number>>>();
  let lookedAt = Number.NaN;
  for (let time = 0; time <= Number(values.times); time++) {
    const reports =
      name === ''
        ? look(where).flatMap((one) => ('report' in one ? [one.report] : []))
        : [inspect(name, where)];
    const now = performance.now();
    const seen = new Map<string, Readonly<Record<string, number>>>();
    const rows: Record<string, unknown>[] = [];
    for (const report of reports) {
      for (const { slot, token, pid, liveness, counters } of report.participants) {
        const key = `${report.path} ${report.incarnation} ${token}`;
        seen.set(key, { ...counters });
        const last = before.get(key);
        const rates = Object.entries(counters).map(([counter, count]) => {
          const done = last === undefined ? 0 : (count - (last[counter] ?? 0)) >>> 0;
          return [`${counter}/s`, Math.round((done * 1000) / (now - lookedAt)) || 0];
        });
        rows.push({ name: report.name, slot, pid, liveness, ...Object.fromEntries(rates) });
      }
    }
    // The first look has nothing to be compared with.
    if (time > 0) yield show(rows, formatRates);
    before = seen;
    lookedAt = now;
    if (time < Number(values.times)) await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
