/**
 * The command line of `chat`, checked before anything is connected.
 */
import { readFileSync } from 'node:fs';
import { LOBBY } from '@chat/protocol';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseServerAddress, type ServerAddress } from './server-address.js';
import { NOTIFY_WAYS, type NotifyWay } from './text/bell.js';

/** The choices of a command line. */
export interface Arguments {
  /** Undefined when it is to be asked for. */
  readonly server: ServerAddress | undefined;
  readonly name: string | undefined;
  readonly room: string;
  /** Undefined when it depends on who looks. */
  readonly history: number | undefined;
  readonly plain: boolean;
  readonly json: boolean;
  readonly follow: boolean;
  readonly tlsCa: string | undefined;
  /** What a terminal does when somebody speaks of the user. */
  readonly notify: NotifyWay;
  /** Whether a password is asked for before the server asks. */
  readonly login: boolean;
  /** The password, from a file or the environment: a command line is seen by everybody on the machine. */
  readonly password: string | undefined;
}

/** A command line that cannot be carried out: the sentence for people, and the exit code. */
export class UsageError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'UsageError';
    this.exitCode = exitCode;
  }
}

const USAGE = 2;
/** Of the environment. */
const PASSWORD = 'CHAT_PASSWORD';
const MAX_HISTORY = 1000;

/**
 * Parses a command line without the program's name.
 *
 * @throws UsageError when it cannot be carried out; with exit code 0 after help or version were printed
 */
export function parseArguments(
  argv: readonly string[],
  version: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Arguments {
  const command = new Command('chat')
    .description('Chat from a terminal, or through a pipe: echo hello | chat --name bot')
    .version(version)
    .argument('[server]', 'host, host:port, [name@]host[#room], or a tcp:, tls:, unix:, ws:, wss: URL')
    .option('--server <address>', 'the same as the argument')
    .option('-n, --name <name>', 'your name')
    .option('-r, --room <room>', `room to join (default: "${LOBBY}")`)
    .option('--history <number>', 'how many earlier messages to show', historyCount)
    .option('--plain', 'lines instead of the full screen, also in a terminal')
    .option('--json', 'one JSON object for each event, for programs')
    .option('--follow', 'only show what is said, and wait for the server if it is not up')
    .option('--notify <way>', 'when your name is mentioned: bell, desktop (OSC 9) or off', notifyWay, 'bell')
    .option('--tls-ca <file>', 'certificate (PEM) to trust, for tls: and wss:')
    .option('--login', 'ask for your password first; without it, when the server asks')
    .option('--password-file <file>', `your password, in a file; or in the environment as ${PASSWORD}`)
    .addHelpText(
      'after',
      '\nCommands:\n  doctor [server]  says what is wrong on the way to a server; doctor --help says more\n\nIn the chat, /help lists the commands. Exit code: 0 well, 1 failed, 2 wrong command line.',
    );
  parseCommand(command, argv);
  const options = command.opts();
  const [argument] = command.args;
  if (argument !== undefined && options.server !== undefined && argument !== options.server) {
    throw new UsageError(`two servers are named: ${argument} and ${options.server}`, USAGE);
  }
  const text: string | undefined = argument ?? options.server;
  const server = text === undefined ? undefined : parseServerAddress(text);
  if (text !== undefined && server === undefined) {
    throw new UsageError(`'${text}' is not the address of a server: host, host:port or a URL`, USAGE);
  }
  return {
    server,
    name: options.name ?? server?.name,
    room: options.room ?? server?.room ?? LOBBY,
    history: options.history,
    plain: options.plain === true,
    json: options.json === true,
    follow: options.follow === true,
    tlsCa: options.tlsCa,
    notify: options.notify,
    login: options.login === true,
    password: passwordFrom(options.passwordFile, environment[PASSWORD]),
  };
}

/** Without the line end that editors put behind it. */

/**
 * Has a command read what it is given.
 *
 * @throws UsageError in one line, with exit code 0 where help or version was asked for, and printed
 */
export function parseCommand(command: Command, argv: readonly string[]): void {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) throw new UsageError('', 0);
    throw new UsageError((error as Error).message.replace(/^error: /, '').replaceAll('\n', ' '), USAGE);
  }
}

function passwordFrom(file: string | undefined, variable: string | undefined): string | undefined {
  if (file === undefined) return variable === '' ? undefined : variable;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`cannot read the password: ${(error as Error).message}`, USAGE);
  }
  if (text === '' || /[\r\n]/.test(text))
    throw new UsageError(`${file} must have one line: the password`, USAGE);
  return text;
}

function notifyWay(value: string): NotifyWay {
  const way = NOTIFY_WAYS.find((known) => known === value);
  if (way === undefined) throw new InvalidArgumentError(`one of ${NOTIFY_WAYS.join(', ')} is needed.`);
  return way;
}

function historyCount(value: string): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || count > MAX_HISTORY) {
    throw new InvalidArgumentError(`a number from 0 to ${MAX_HISTORY} is needed.`);
  }
  return count;
}
