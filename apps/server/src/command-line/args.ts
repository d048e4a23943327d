/**
 * The command line of `chat-server`, checked before anything is started.
 */
import { DEFAULT_PORT } from '@chat/protocol';
import { type ChatServerOptions, LIMITS, type Limit, UNLIMITED } from '@chat/server';
import type { NatsLogOptions } from '@chat/server/nats';
import type { SqliteLogOptions } from '@chat/server/sqlite';
import { Command, CommanderError, Option } from 'commander';
import { adminSocketIn } from '../admin/admin-socket.js';
import { storeCommandsHelp } from '../data/store-commands.js';
import { checkSecret, readSecret, type Secret } from './secret.js';
import { UsageError } from './usage-error.js';
import { fileMode, frameAncestor, limitValue, portNumber, wholeNumber, workerCount } from './values.js';

export { UsageError };

/** The command line, parsed. */
export interface Arguments {
  /** `undefined`: every address of this machine, IPv4 and IPv6. */
  readonly host: string | undefined;
  readonly port: number;
  readonly unix: string | undefined;
  /** Permissions of the socket's file, and its group: a number or a name. */
  readonly unixMode: number | undefined;
  readonly unixGroup: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsClientCa: string | undefined;
  readonly tlsOnly: boolean;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly keepAliveTimeoutMs: number | undefined;
  readonly metricsToken: Secret | undefined;
  /** Where the metrics are instead of the chat port. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | undefined;
  /** Pages that may show the page in a frame, as sources of CSP. */
  readonly frameAncestors: readonly string[];
  /** The socket of `chat-server admin`, and whether it was asked for; `undefined` for none. */
  readonly adminSocket: { readonly path: string; readonly isWanted: boolean } | undefined;
  /** File with the tokens of the HTTP API; without it there is none. */
  readonly apiTokenFile: string | undefined;
  readonly logLevel: string;
  readonly json: boolean;
  /** Worker processes; `undefined`: this process does all. */
  readonly workers: number | undefined;
  /** A worker that has not answered for so long is replaced. */
  readonly workerSilenceMs: number;
  /** `undefined`: what is said dies with the process. */
  readonly data: DataOptions | undefined;
  /** `undefined`: no other machine takes part in the chat. */
  readonly nats: NatsLogOptions | undefined;
  readonly limits: ChatServerOptions;
}

/** The folder that keeps what is said, and how well. */
export type DataOptions = Pick<SqliteLogOptions, 'directory' | 'durability' | 'onStoreFailure'>;

const USAGE = 2;
const DEFAULT_SILENCE_MS = 5000;
/** Workers are asked twice a second. */
const MIN_SILENCE_MS = 1000;
/** Of the environment. */
const METRICS_TOKEN = 'CHAT_METRICS_TOKEN';

/**
 * Parses a command line without the program's name.
 *
 * @throws UsageError when it cannot be carried out; with exit code 0 after help or version were printed
 */
export function parseArguments(argv: readonly string[], version: string): Arguments {
  const command = new Command('chat-server')
    .description('A chat server: one port for chat clients, browsers and nc.')
    .version(version)
    .option('--host <address>', 'address to listen on (default: all, IPv4 and IPv6)')
    .option('--port <number>', 'port to listen on, 0 for any', portNumber, DEFAULT_PORT)
    .option('--unix <path>', 'listen on a Unix socket as well')
    .option(
      '--unix-mode <octal>',
      'permissions of that socket, as 660; without it the umask decides',
      fileMode,
    )
    .option('--unix-group <group>', 'group of that socket, by name or number')
    .option(
      '--workers <number>',
      'worker processes that share the port and the chat; auto for one per core',
      workerCount,
    )
    .option(
      '--worker-silence-ms <ms>',
      'a worker that has not answered for so long is replaced',
      wholeNumber,
      DEFAULT_SILENCE_MS,
    )
    .option(
      '--data <folder>',
      'keep what is said in this folder: the server goes on where it was when started again',
    )
    .addOption(
      new Option(
        '--durability <level>',
        'what a message survives before it is shown: the end of the process, or the loss of power',
      ).choices(['process', 'disk']),
    )
    .addOption(
      new Option(
        '--on-store-failure <policy>',
        'what is said when the folder cannot be written is refused, or kept in memory only',
      ).choices(['refuse', 'memory']),
    )
    .option(
      '--nats <url...>',
      'one chat with all servers that are told the same: addresses of a NATS cluster, as nats://localhost:4222',
    )
    .option('--nats-stream <name>', 'names the chat in NATS (default: chat)')
    .option('--tls-cert <file>', 'certificate (PEM): TLS on the same port')
    .option('--tls-key <file>', 'key of the certificate (PEM)')
    .option('--tls-only', 'refuse what does not speak TLS')
    .option(
      '--tls-client-ca <file>',
      'lets only clients in that have a certificate of this authority (PEM); implies --tls-only',
    )
    .option('--trusted-proxy <address...>', 'proxies (addresses or ranges) whose X-Forwarded-For is believed')
    .option('--proxy-protocol', 'trusted proxies begin each connection with a PROXY protocol header (1 or 2)')
    .option('--exempt-address <address...>', 'addresses or ranges without limits per address')
    .option('--allow-origin <origin...>', 'web pages from elsewhere that may connect', [])
    .option(
      '--frame-ancestor <origin...>',
      'pages that may show the page in a frame; self for those of this server',
      frameAncestor,
      [],
    )
    .option('--allowed-host <host...>', 'names of this server: pages under other names are refused', [])
    .option(
      '--keep-alive-timeout-ms <number>',
      'quiet time of an HTTP connection between requests',
      wholeNumber,
    )
    .addOption(
      new Option(
        '--metrics-token <token>',
        'serves /metrics to those who have this bearer token; a command line is seen by everybody on the machine',
      ).env(METRICS_TOKEN),
    )
    .option('--metrics-token-file <file>', 'the same, with the token in a file')
    .option(
      '--metrics-port <number>',
      'serves /metrics at a port of its own, and not on that of the chat',
      portNumber,
    )
    .option('--metrics-host <address>', 'address of that port', '127.0.0.1')
    .option('--admin-socket <path>', 'socket of chat-server admin (default: admin.sock in the --data folder)')
    .option(
      '--api-token-file <file>',
      'serves the HTTP API to those who have a bearer token in this file, one a line',
    )
    .option('--line-charset <name>', 'charset of lines that are not UTF-8, such as windows-1255')
    .option('--unlimited', 'lift rate, session and address limits: for benchmarks on loopback')
    .addOption(
      new Option('--log-level <level>', 'least important level that is logged')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option('--json', 'log as JSON lines, also to a terminal')
    .addOption(
      new Option('--slow-consumer <policy>', 'for readers that fall behind').choices(['close', 'skip']),
    )
    .addOption(
      new Option('--duplicate-names <policy>', 'for names that somebody has').choices([
        'refuse',
        'suffix',
        'takeover',
      ]),
    );
  for (const [name, limit] of Object.entries(LIMITS)) {
    command.option(`--${kebabCase(name)} <${limit.unit}>`, helpOf(limit), (value) =>
      limitValue(value, limit),
    );
  }
  command.addHelpText(
    'after',
    `${storeCommandsHelp()}\n  admin <command>            speaks to a running server; admin --help lists the commands`,
  );
  command.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) throw new UsageError('', 0);
    // One line, also where a suggestion stands on a second one.
    throw new UsageError(withoutValue((error as Error).message).replace(/\s*\n\s*/g, ' '), USAGE);
  }
  const options = command.opts();
  if (command.args.length > 0) throw new UsageError(`unexpected argument ${command.args[0]}`, USAGE);
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key go together', USAGE);
  }
  if (options.tlsClientCa !== undefined && options.tlsCert === undefined) {
    throw new UsageError('--tls-client-ca needs --tls-cert and --tls-key', USAGE);
  }
  if (options.tlsOnly && options.tlsCert === undefined) {
    throw new UsageError('--tls-only needs --tls-cert and --tls-key', USAGE);
  }
  if (options.unix === undefined && (options.unixMode !== undefined || options.unixGroup !== undefined)) {
    throw new UsageError('--unix-mode and --unix-group need --unix', USAGE);
  }
  if (options.data === undefined && (options.durability ?? options.onStoreFailure) !== undefined) {
    throw new UsageError('--durability and --on-store-failure need --data', USAGE);
  }
  if (options.workers !== undefined && options.data !== undefined) {
    throw new UsageError('--workers and --data do not go together yet: choose one of them', USAGE);
  }
  if (options.nats !== undefined && (options.data ?? options.workers) !== undefined) {
    throw new UsageError(
      '--nats does not go together with --data or --workers yet: choose one of them',
      USAGE,
    );
  }
  if (options.natsStream !== undefined && options.nats === undefined) {
    throw new UsageError('--nats-stream needs --nats', USAGE);
  }
  if (options.workerSilenceMs < MIN_SILENCE_MS) {
    throw new UsageError(`--worker-silence-ms must be at least ${MIN_SILENCE_MS}`, USAGE);
  }
  const ofOneProcess = [options.apiTokenFile, options.adminSocket, options.metricsPort];
  if (options.workers !== undefined && ofOneProcess.some((option) => option !== undefined)) {
    const message = '--api-token-file, --admin-socket and --metrics-port do not go together with --workers';
    throw new UsageError(message, USAGE);
  }
  const given = Object.keys(LIMITS).filter((name) => options[name] !== undefined);
  return {
    host: options.host,
    port: options.port,
    unix: options.unix,
    unixMode: options.unixMode,
    unixGroup: options.unixGroup,
    tlsCert: options.tlsCert,
    tlsKey: options.tlsKey,
    tlsClientCa: options.tlsClientCa,
    tlsOnly: options.tlsOnly === true,
    allowedOrigins: options.allowOrigin,
    allowedHosts: options.allowedHost,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs,
    metricsToken: metricsToken(command),
    apiTokenFile: options.apiTokenFile,
    metricsAddress:
      options.metricsPort === undefined
        ? undefined
        : { host: options.metricsHost, port: options.metricsPort },
    frameAncestors: options.frameAncestor,
    adminSocket: adminSocket(options.adminSocket, options.workers === undefined ? options.data : undefined),
    logLevel: options.logLevel,
    json: options.json === true,
    workers: options.workers,
    workerSilenceMs: options.workerSilenceMs,
    data:
      options.data === undefined
        ? undefined
        : {
            directory: options.data,
            ...(options.durability === undefined ? {} : { durability: options.durability }),
            ...(options.onStoreFailure === undefined ? {} : { onStoreFailure: options.onStoreFailure }),
          },
    nats:
      options.nats === undefined
        ? undefined
        : {
            servers: options.nats,
            ...(options.natsStream === undefined ? {} : { stream: options.natsStream }),
          },
    limits: {
      ...(options.unlimited ? UNLIMITED : {}),
      ...(options.trustedProxy ? { trustedProxies: options.trustedProxy } : {}),
      ...(options.proxyProtocol ? { proxyProtocol: true } : {}),
      ...(options.exemptAddress ? { exemptAddresses: options.exemptAddress } : {}),
      ...(options.slowConsumer ? { slowConsumer: options.slowConsumer } : {}),
      ...(options.lineCharset === undefined ? {} : { lineCharset: options.lineCharset }),
      ...(options.duplicateNames ? { duplicateNames: options.duplicateNames } : {}),
      ...Object.fromEntries(given.map((name) => [name, options[name]])),
    },
  };
}

/** In the data folder where nothing is said; a named pipe on Windows lies in no folder. */
function adminSocket(path: string | undefined, data: string | undefined): Arguments['adminSocket'] {
  if (path !== undefined) return { path, isWanted: true };
  if (data === undefined || process.platform === 'win32') return undefined;
  return { path: adminSocketIn(data), isWanted: false };
}

/** Other limits are named as on the command line. */
function helpOf({ text, defaultText }: Limit): string {
  return `${text} (default: ${defaultText})`.replace(/`(\w+)`/g, (_, word: string) =>
    Object.hasOwn(LIMITS, word) ? `--${kebabCase(word)}` : word,
  );
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The value behind a mistyped option may be a secret: it is not repeated. */
function withoutValue(message: string): string {
  return message.replace(/^error: /, '').replace(/^(unknown option '[^'=]*)=[\s\S]*?'(?=\n|$)/, "$1'");
}

/** From the command line, else from a file, else from the environment. */
function metricsToken(command: Command): Secret | undefined {
  const { metricsToken: value, metricsTokenFile: file } = command.opts();
  const what = 'metrics token';
  const isOnCommandLine = command.getOptionValueSource('metricsToken') === 'cli';
  if (isOnCommandLine && file !== undefined) {
    throw new UsageError('--metrics-token and --metrics-token-file are two tokens', USAGE);
  }
  if (file !== undefined) return { value: readSecret(file, what), isOnCommandLine: false };
  if (value === undefined) return undefined;
  const where = isOnCommandLine ? '--metrics-token' : METRICS_TOKEN;
  return { value: checkSecret(value, what, where), isOnCommandLine };
}
