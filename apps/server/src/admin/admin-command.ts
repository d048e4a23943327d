/**
 * `chat-server admin`: an operation of a running server, through its admin socket. The commands are those of the table of
 * operations.
 */
import { type IncomingMessage, request } from 'node:http';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Field } from '../api/fields.js';
import { API_PATH, OPERATIONS, type Operation } from '../api/operations.js';
import { UsageError } from '../command-line/usage-error.js';
import { linesOf, visible } from './admin-output.js';
import { adminSocketIn } from './admin-socket.js';

const USAGE = 2;
const FAILED = 1;

/** One call, as the command line says it. */
interface Call {
  readonly operation: Operation;
  readonly input: ReadonlyMap<string, unknown>;
  readonly socket: string;
  readonly isJson: boolean;
}

/**
 * Carries out what stands behind `admin` on the command line.
 *
 * @returns the exit code
 * @throws UsageError when it cannot be carried out
 */
export async function runAdminCommand(
  argv: readonly string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const { operation, input, socket, isJson } = parse(argv, print);
  const { status, text } = await call(socket, operation, input);
  const body = text === '' ? undefined : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  if (status >= 400) {
    if (isJson) print(text.trimEnd());
    else complain(`chat-server: ${visible(body?.detail)} (${visible(body?.code)})`);
    return FAILED;
  }
  if (isJson) print(text === '' ? '{}' : text.trimEnd());
  else for (const line of body ? linesOf(body) : []) print(line);
  return 0;
}

function parse(argv: readonly string[], print: (line: string) => void): Call {
  let found: Omit<Call, 'socket' | 'isJson'> | undefined;
  const admin = new Command('chat-server admin')
    .description('Speaks to a running server on this machine.')
    .option('--data <folder>', 'data folder of the server: its socket is there')
    .option('--admin-socket <path>', 'the socket, as the server was told')
    .option('--json', 'print JSON, errors included');
  for (const operation of OPERATIONS) {
    const command = admin.command(operation.id).description(operation.summary);
    const places = Object.entries(operation.fields).filter(([, field]) => field.in === 'path');
    for (const [name, { schema }] of places) command.argument(`<${name}>`, schema.description);
    for (const [name, field] of Object.entries(operation.fields)) {
      if (field.in !== 'path') command.addOption(optionOf(name, field));
    }
    command.action((...given: unknown[]) => {
      const paths = places.map(([name], i) => [name, given[i]] as const);
      const options = Object.entries(given[places.length] as object);
      found = { operation, input: new Map([...paths, ...options]) };
    });
  }
  for (const command of [admin, ...admin.commands])
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: (text) => print(text.trimEnd()) });
  try {
    admin.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) throw new UsageError('', 0);
    throw new UsageError((error as Error).message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), USAGE);
  }
  if (!found) throw new UsageError('admin: a command is needed, see --help', USAGE);
  const { data, adminSocket, json } = admin.opts();
  if ((data === undefined) === (adminSocket === undefined)) {
    throw new UsageError('admin: either --data or --admin-socket says which server is meant', USAGE);
  }
  return { ...found, socket: adminSocket ?? adminSocketIn(data), isJson: json === true };
}

function optionOf(name: string, { isRequired, schema }: Field<unknown>): Option {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const option = new Option(`--${kebab} <value>`, schema.description).makeOptionMandatory(isRequired);
  return [schema.type].flat().includes('integer') ? option.argParser(numberOf) : option;
}

/** Whether it is within its bounds is checked by the server. */
function numberOf(value: string): number | string {
  if (value === 'Infinity') return value;
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('a whole number is needed.');
  return Number(value);
}

function call(
  socketPath: string,
  { method, path, fields }: Operation,
  input: ReadonlyMap<string, unknown>,
): Promise<{ readonly status: number; readonly text: string }> {
  const valuesIn = (place: Field<unknown>['in']): [string, unknown][] =>
    [...input].filter(([name]) => fields[name]?.in === place);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input.get(name))));
  const query = new URLSearchParams(
    valuesIn('query').map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  const hasBody = Object.values(fields).some((field) => field.in === 'body');
  const body = hasBody ? JSON.stringify(Object.fromEntries(valuesIn('body'))) : '';
  // Node would send the body of a DELETE without its length, and the server take it for another request.
  const headers = hasBody
    ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    : {};
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method,
      path: `${API_PATH}${filled}${query && `?${query}`}`,
      headers,
    });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(new UsageError(reasonOf(error, socketPath), FAILED)),
    );
    asked.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `no server listens at ${path}: it has to run with --data or --admin-socket`;
    case 'EACCES':
      return `only the user of the server may open ${path}`;
    default:
      return `cannot speak to the server at ${path}: ${message}`;
  }
}
