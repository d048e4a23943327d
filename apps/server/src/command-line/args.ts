/**
 * What `chat-server` is told, by command line, environment and configuration file, checked before anything is started.
 */
import type { ChatServerOptions } from '@chat/server';
import { LIMITS, type LimitOptions, UNLIMITED } from '@chat/server';
import type { NatsLogOptions } from '@chat/server/nats';
import type { SqliteLogOptions } from '@chat/server/sqlite';
import type { Option } from 'commander';
import type { PeopleOptions } from '../accounts/people.js';
import { peopleOptions } from '../accounts/people-options.js';
import { userCommandsHelp } from '../accounts/user-command.js';
import { adminSocketIn } from '../admin/admin-socket.js';
import { natsOptions } from '../data/nats-options.js';
import { storeCommandsHelp } from '../data/store-commands.js';
import { simpleWebhook, type WebhookOptions, WebhookProblem } from '../webhooks/webhook-options.js';
import type { Environment } from './environment.js';
import { readFlags } from './flags.js';
import type { Settings } from './options.js';
import { type Secret, secretOf } from './secret.js';
import { resolveSettings, type SourcedSettings, withPlaces } from './settings.js';
import { UsageError } from './usage-error.js';

export { UsageError };

/** Settings that are handed on in another form. */
type Shaped =
  | 'webhooks'
  | 'data'
  | 'durability'
  | 'onStoreFailure'
  | `nats${string}`
  | 'adminSocket'
  | 'accounts'
  | 'passwordFile'
  | 'guests'
  | 'tlsClientName'
  | `jwt${string}`
  | 'metricsToken';

/** What the program is told: the settings by name, and what follows from several of them. */
export interface Arguments extends Omit<Settings, Shaped | keyof LimitOptions> {
  readonly metricsToken: Secret | undefined;
  /** Where the metrics are instead of the chat port. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | undefined;
  /** The socket of `chat-server admin`, and whether it was asked for; `undefined` for none. */
  readonly adminSocket: { readonly path: string; readonly isWanted: boolean } | undefined;
  /** `undefined`: what is said dies with the process. */
  readonly data: DataOptions | undefined;
  /** `undefined`: nobody is asked who they are. */
  readonly people: PeopleOptions | undefined;
  /** `undefined`: no other machine takes part in the chat. */
  readonly nats: NatsLogOptions | undefined;
  readonly webhooks: readonly WebhookOptions[];
  readonly limits: ChatServerOptions;
  /** Every option as it was said, and by whom. */
  readonly given: SourcedSettings;
}

/** The folder that keeps what is said, and how well. */
export type DataOptions = Pick<SqliteLogOptions, 'directory' | 'durability' | 'onStoreFailure'>;

/** Workers are asked twice a second. */
const MIN_SILENCE_MS = 1000;

const SERVER = {
  name: 'chat-server',
  description: 'A chat server: one port for chat clients, browsers and nc.',
};

/** Where options come from beside the command line. */
export interface ArgumentSources {
  readonly environment?: Environment;
  /** Of the configuration file, if somebody else has read it already. */
  readonly configText?: string | undefined;
}

/**
 * Parses a command line without the program's name.
 *
 * @throws UsageError when it cannot be carried out; with exit code 0 after help or version were printed
 */
export function parseArguments(
  argv: readonly string[],
  version: string,
  { environment = process.env, configText }: ArgumentSources = {},
): Arguments {
  const flags = readFlags(argv, { ...SERVER, version, after: helpBehindOptions() });
  return argumentsFrom(resolveSettings(flags, environment, configText));
}

/**
 * Parses the command line of a command that takes the options of the server.
 *
 * @param more options of that command alone
 */
export function parseServerOptions(
  command: { readonly name: string; readonly description: string; readonly version: string },
  argv: readonly string[],
  more: readonly Option[],
  environment: Environment,
): { readonly flags: ReadonlyMap<string, unknown>; readonly args: Arguments } {
  const name = `${SERVER.name} ${command.name}`;
  const flags = readFlags(argv, { ...command, name, after: '' }, more);
  return { flags, args: argumentsFrom(resolveSettings(flags, environment)) };
}

/** @throws UsageError when settings do not go together */
function argumentsFrom(given: SourcedSettings): Arguments {
  const { settings } = given;
  assertTogether(given);
  const { data, durability, onStoreFailure, metricsHost, metricsPort } = settings;
  return {
    ...settings,
    metricsToken: secretOf('metricsToken', 'metrics token', given),
    metricsAddress: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
    adminSocket: adminSocket(settings.adminSocket, data),
    people: peopleOptions(given),
    data: data === undefined ? undefined : { directory: data, ...defined({ durability, onStoreFailure }) },
    nats: natsOptions(given),
    webhooks: webhooksOf(given),
    limits: limitsOf(settings),
    given,
  };
}

/** @throws UsageError when one setting needs another, or shuts it out */
function assertTogether(given: SourcedSettings): void {
  const { settings } = given;
  const has = (name: keyof Settings): boolean => settings[name] !== undefined && settings[name] !== false;
  const refuse = (message: string, ...names: (keyof Settings)[]): never => {
    throw new UsageError(withPlaces(message, names, given));
  };
  if (has('tlsCert') !== has('tlsKey')) refuse('--tls-cert and --tls-key go together', 'tlsCert', 'tlsKey');
  for (const [name, flag] of [
    ['tlsClientCa', '--tls-client-ca'],
    ['tlsOnly', '--tls-only'],
  ] as const) {
    if (has(name) && !has('tlsCert')) refuse(`${flag} needs --tls-cert and --tls-key`, name);
  }
  if (!has('unix') && (has('unixMode') || has('unixGroup'))) {
    refuse('--unix-mode and --unix-group need --unix', 'unixMode', 'unixGroup');
  }
  if (!has('data') && (has('durability') || has('onStoreFailure'))) {
    refuse('--durability and --on-store-failure need --data', 'durability', 'onStoreFailure');
  }
  if (has('workers') && settings.onStoreFailure === 'memory') {
    const message = '--on-store-failure memory does not go together with --workers';
    refuse(message, 'workers', 'onStoreFailure');
  }
  if (has('nats') && has('data')) {
    const message =
      '--nats does not go together with --data: the stream of NATS keeps what is said, for all servers alike';
    refuse(message, 'nats', 'data');
  }
  if (settings.workerSilenceMs < MIN_SILENCE_MS) {
    refuse(`--worker-silence-ms must be at least ${MIN_SILENCE_MS}`, 'workerSilenceMs');
  }
  if ((has('webhooks') || has('webhookUrl')) && has('nats')) {
    const message = 'webhooks do not go together with --nats yet: each server would deliver everything';
    refuse(message, 'webhookUrl', 'webhooks', 'nats');
  }
}

/** The one of the command line, and those of the configuration file. */
function webhooksOf(given: SourcedSettings): readonly WebhookOptions[] {
  const { webhookUrl, webhookSecretFile, webhookEvent, webhooks = [] } = given.settings;
  const refuse = (message: string): never => {
    throw new UsageError(withPlaces(message, ['webhookUrl', 'webhookSecretFile', 'webhookEvent'], given));
  };
  if (webhookUrl === undefined) {
    if (webhookSecretFile === undefined && webhookEvent === undefined) return webhooks;
    return refuse('--webhook-secret-file and --webhook-event need --webhook-url');
  }
  if (webhookSecretFile === undefined) return refuse('--webhook-url needs --webhook-secret-file');
  try {
    const simple = simpleWebhook(webhookUrl, webhookSecretFile, webhookEvent);
    if (!webhooks.some(({ name }) => name === simple.name)) return [simple, ...webhooks];
  } catch (error) {
    if (!(error instanceof WebhookProblem)) throw error;
    return refuse(`--webhook-url: ${error.message.replace(/^url: /, '')}`);
  }
  return refuse('--webhook-url is also among the webhooks of the configuration file');
}

/** The options of the server itself. */
function limitsOf(settings: Settings): ChatServerOptions {
  const { unlimited, trustedProxy, proxyProtocol, exemptAddress, slowConsumer, lineCharset, duplicateNames } =
    settings;
  return {
    ...(unlimited ? UNLIMITED : {}),
    ...defined({
      trustedProxies: trustedProxy,
      proxyProtocol: proxyProtocol || undefined,
      exemptAddresses: exemptAddress,
      slowConsumer,
      lineCharset,
      duplicateNames,
    }),
    ...defined(
      Object.fromEntries(Object.keys(LIMITS).map((name) => [name, settings[name as keyof LimitOptions]])),
    ),
  };
}

/** In the data folder where nothing is said; a named pipe on Windows lies in no folder. */
function adminSocket(path: string | undefined, data: string | undefined): Arguments['adminSocket'] {
  if (path !== undefined) return { path, isWanted: true };
  if (data === undefined || process.platform === 'win32') return undefined;
  return { path: adminSocketIn(data), isWanted: false };
}

type Defined<Values> = { readonly [Name in keyof Values]?: Exclude<Values[Name], undefined> };

function defined<Values extends object>(values: Values): Defined<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<Values>;
}

function helpBehindOptions(): string {
  return [
    '',
    'Each option is a variable of the environment, too, and a key of the configuration file:',
    '  --max-sessions 500         CHAT_MAX_SESSIONS=500         { "maxSessions": 500 }',
    'A flag counts before a variable, that before the file, and that before the default.',
    storeCommandsHelp(),
    userCommandsHelp(),
    '',
    'Other commands:',
    '  admin <command>            speaks to a running server; admin --help lists the commands',
    '  doctor [options]           says what would keep a server with these options from working',
    '  config [options]           prints what is in force with these options, and where it comes from',
  ].join('\n');
}
