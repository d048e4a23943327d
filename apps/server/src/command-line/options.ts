/**
 * Every option of `chat-server`, in one table. A row is all that an option needs: its flag, its variable in the
 * environment, its key in a configuration file, the help, the schema and the type of its value follow from it.
 *
 * The flag is the name in kebab case (`--max-sessions`), the variable is the flag in upper case behind `CHAT_`
 * (`CHAT_MAX_SESSIONS`), and the key is the name (`maxSessions`). The limits of the server are options, too: their
 * rows come from its own table.
 *
 * Longer than most files here: two thirds of it are the table.
 */
import { DEFAULT_PORT } from '@chat/protocol';
import { LIMITS, type Limit, type LimitOptions } from '@chat/server';
import { WEBHOOK_EVENTS, type WebhookOptions } from '../webhooks/webhook-options.js';

/** What a value is once it is read, by the type of its option. */
export interface OptionTypes {
  /** There or not. */
  readonly switch: boolean;
  readonly text: string;
  /** Nothing that a configuration file, a help or a message may show. */
  readonly secret: string;
  /** A path: in a configuration file relative to the folder of that file. */
  readonly path: string;
  readonly port: number;
  readonly count: number;
  readonly limit: number;
  readonly workers: number;
  readonly mode: number;
  readonly origin: string;
  readonly choice: string;
  readonly webhooks: readonly WebhookOptions[];
}

/** A row of the table. */
export interface OptionRow {
  readonly type: keyof OptionTypes;
  /** Part of a sentence. */
  readonly text: string;
  /** How its value is called in the help. */
  readonly shown?: string;
  /** Where nothing is said. */
  readonly default?: string | number;
  /** The default in words, for the help. */
  readonly defaultText?: string;
  /** Whether no flag and no variable could hold it. */
  readonly onlyInFile?: true;
  /** Whether it takes several values. */
  readonly list?: true;
  /** All values of a choice. */
  readonly choices?: readonly string[];
  /** Of the server. */
  readonly limit?: Limit;
}

const TABLE = {
  config: {
    type: 'path',
    shown: 'file',
    text: 'reads options from this file: JSON, which may have comments',
  },
  host: { type: 'text', shown: 'address', text: 'address to listen on', defaultText: 'all, IPv4 and IPv6' },
  port: {
    type: 'port',
    shown: 'number',
    text: 'port to listen on, 0 for any',
    default: DEFAULT_PORT as number,
  },
  unix: { type: 'path', shown: 'path', text: 'listens on a Unix socket as well' },
  unixMode: {
    type: 'mode',
    shown: 'octal',
    text: 'permissions of that socket, as 660; without it the umask decides',
  },
  unixGroup: { type: 'text', shown: 'group', text: 'group of that socket, by name or number' },
  workers: {
    type: 'workers',
    shown: 'number',
    text: 'worker processes that share the port and the chat; auto for one per core',
  },
  workerSilenceMs: {
    type: 'count',
    shown: 'ms',
    text: 'a worker that has not answered for so long is replaced',
    default: 5000 as number,
  },
  data: {
    type: 'path',
    shown: 'folder',
    text: 'keeps what is said in this folder: the server goes on where it was when started again',
  },
  durability: {
    type: 'choice',
    shown: 'level',
    choices: ['process', 'disk'],
    text: 'what a message survives before it is shown: the end of the process, or the loss of power',
  },
  onStoreFailure: {
    type: 'choice',
    shown: 'policy',
    choices: ['refuse', 'memory'],
    text: 'what is said when the folder cannot be written is refused, or kept in memory only',
  },
  nats: {
    type: 'text',
    shown: 'url',
    list: true,
    text: 'one chat with all servers that are told the same: addresses of a NATS cluster, as nats://localhost:4222',
  },
  natsStream: { type: 'text', shown: 'name', text: 'names the chat in NATS', defaultText: 'chat' },
  natsReplicas: {
    type: 'count',
    shown: 'number',
    text: 'NATS servers that hold the chat, where it is made: 3 of a cluster of three',
    defaultText: '1',
  },
  natsCredentials: { type: 'path', shown: 'file', text: 'credentials for NATS, as nsc writes them' },
  natsNkey: { type: 'path', shown: 'file', text: 'seed of an NKEY for NATS, in a file' },
  natsTokenFile: { type: 'path', shown: 'file', text: 'token for NATS, in a file' },
  natsUser: { type: 'text', shown: 'name', text: 'user at NATS' },
  natsPasswordFile: { type: 'path', shown: 'file', text: 'the password of that user, in a file' },
  natsTlsCa: {
    type: 'path',
    shown: 'file',
    text: 'TLS to NATS, whose certificate is of this authority (PEM)',
  },
  natsTlsCert: { type: 'path', shown: 'file', text: 'certificate that is shown to NATS (PEM)' },
  natsTlsKey: { type: 'path', shown: 'file', text: 'key of that certificate (PEM)' },
  tlsCert: { type: 'path', shown: 'file', text: 'certificate (PEM): TLS on the same port' },
  tlsKey: { type: 'path', shown: 'file', text: 'key of the certificate (PEM)' },
  tlsOnly: { type: 'switch', text: 'refuses what does not speak TLS' },
  tlsClientCa: {
    type: 'path',
    shown: 'file',
    text: 'lets only clients in that have a certificate of this authority (PEM); implies --tls-only',
  },
  tlsClientName: {
    type: 'switch',
    text: 'a client has the name that is in its certificate (CN), and no other',
  },
  trustedProxy: {
    type: 'text',
    shown: 'address',
    list: true,
    text: 'proxies (addresses or ranges) whose X-Forwarded-For is believed',
  },
  proxyProtocol: {
    type: 'switch',
    text: 'trusted proxies begin each connection with a PROXY protocol header (1 or 2)',
  },
  exemptAddress: {
    type: 'text',
    shown: 'address',
    list: true,
    text: 'addresses or ranges without limits per address',
  },
  allowOrigin: {
    type: 'text',
    shown: 'origin',
    list: true,
    text: 'web pages from elsewhere that may connect',
  },
  frameAncestor: {
    type: 'origin',
    shown: 'origin',
    list: true,
    text: 'pages that may show the page in a frame; self for those of this server',
  },
  allowedHost: {
    type: 'text',
    shown: 'host',
    list: true,
    text: 'names of this server: pages under other names are refused',
  },
  keepAliveTimeoutMs: {
    type: 'count',
    shown: 'number',
    text: 'quiet time of an HTTP connection between requests',
  },
  metricsToken: {
    type: 'secret',
    shown: 'token',
    text: 'serves /metrics to those who have this bearer token; a command line is seen by everybody on the machine',
  },
  metricsTokenFile: { type: 'path', shown: 'file', text: 'the same, with the token in a file' },
  metricsPort: {
    type: 'port',
    shown: 'number',
    text: 'serves /metrics at a port of its own, and not on that of the chat',
  },
  metricsHost: { type: 'text', shown: 'address', text: 'address of that port', default: '127.0.0.1' },
  adminSocket: {
    type: 'path',
    shown: 'path',
    text: 'socket of chat-server admin',
    defaultText: 'admin.sock in the --data folder',
  },
  apiTokenFile: {
    type: 'path',
    shown: 'file',
    text: 'serves the HTTP API to those who have a bearer token in this file, one a line',
  },
  accounts: {
    type: 'path',
    shown: 'file',
    text: 'who has an account',
    defaultText: 'accounts.json in the --data folder',
  },
  passwordFile: { type: 'path', shown: 'file', text: 'one password for all, in a file; names are free' },
  jwtSecretFile: {
    type: 'path',
    shown: 'file',
    text: 'lets in who has a token (JWT) of an application that is signed with the secret in this file',
  },
  jwtJwks: {
    type: 'text',
    shown: 'file|url',
    text: 'the same, signed with one of the keys in this JWK Set; a URL is fetched and kept',
  },
  jwtAlgorithm: {
    type: 'text',
    shown: 'name',
    list: true,
    text: 'ways to sign that are taken',
    defaultText: 'HS256, HS384, HS512 with a secret, else all of keys',
  },
  jwtAudience: { type: 'text', shown: 'name', list: true, text: 'a token must be for one of these (aud)' },
  jwtIssuer: { type: 'text', shown: 'name', list: true, text: 'a token must be from one of these (iss)' },
  jwtNameClaim: {
    type: 'text',
    shown: 'claim',
    text: 'what of a token is the name',
    default: 'sub' as string,
  },
  jwtRolesClaim: {
    type: 'text',
    shown: 'claim',
    text: 'what of a token are the roles; a dot leads into an object',
    default: 'roles' as string,
  },
  jwtClockSkewS: {
    type: 'count',
    shown: 'seconds',
    text: 'how much the clock of the application may be off',
    default: 30 as number,
  },
  jwtCookie: { type: 'text', shown: 'name', text: 'takes a token from this cookie, too' },
  guests: {
    type: 'choice',
    shown: 'choice',
    choices: ['on', 'off'],
    text: 'whether those come in who show nothing',
    defaultText: 'on, unless something else is for all',
  },
  webhookUrl: {
    type: 'text',
    shown: 'url',
    text: 'tells this address what happens; webhooks in a configuration file are several, and have more to set',
  },
  webhookSecretFile: {
    type: 'path',
    shown: 'file',
    text: 'file with the secret that what it is told is signed with',
  },
  webhookEvent: {
    type: 'choice',
    shown: 'kind',
    list: true,
    choices: WEBHOOK_EVENTS,
    text: 'what it is told of',
    defaultText: 'everything',
  },
  webhooks: { type: 'webhooks', onlyInFile: true, text: 'addresses that are told what happens' },
  lineCharset: {
    type: 'text',
    shown: 'name',
    text: 'charset of lines that are not UTF-8, such as windows-1255',
  },
  unlimited: {
    type: 'switch',
    text: 'lifts rate, session and address limits: for benchmarks on loopback',
  },
  logLevel: {
    type: 'choice',
    shown: 'level',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    text: 'least important level that is logged',
    default: 'info',
  },
  json: { type: 'switch', text: 'logs as JSON lines, also to a terminal' },
  slowConsumer: {
    type: 'choice',
    shown: 'policy',
    choices: ['close', 'skip'],
    text: 'for readers that fall behind',
  },
  duplicateNames: {
    type: 'choice',
    shown: 'policy',
    choices: ['refuse', 'suffix', 'takeover'],
    text: 'for names that somebody has',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;

type Table = typeof TABLE;

/** What a row's value is: of a list an array, of a choice one of its words, of a switch a boolean. */
type ValueOf<Row> = Row extends { readonly list: true; readonly type: infer Type extends keyof OptionTypes }
  ? readonly OptionTypes[Type][] | undefined
  : Row extends { readonly choices: readonly (infer Choice)[] }
    ? Choice | Unset<Row>
    : Row extends { readonly type: infer Type extends keyof OptionTypes }
      ? OptionTypes[Type] | Unset<Row>
      : never;

type Unset<Row> = Row extends { readonly default: unknown } | { readonly type: 'switch' } ? never : undefined;

/** The value of every option; `undefined` where nothing is said and there is no default. */
export type Settings = { readonly [Name in keyof Table]: ValueOf<Table[Name]> } & LimitOptions;

/** Name of an option. */
export type OptionName = keyof Settings;

/** Name of an option whose value is a secret. Beside each, `…File` names a file that holds it. */
export type SecretName = {
  [Name in keyof Table]: Table[Name] extends { readonly type: 'secret' } ? Name : never;
}[keyof Table];

/** Every option by name. */
export const OPTIONS: Readonly<Record<OptionName, OptionRow>> = {
  ...TABLE,
  ...(Object.fromEntries(
    Object.entries(LIMITS).map(([name, limit]) => [name, limitRow(limit)]),
  ) as unknown as Record<keyof LimitOptions, OptionRow>),
};

/** The flag of an option: `--max-sessions`. */
export function flagOf(name: string): string {
  return `--${kebabCase(name)}`;
}

/** The variable of an option in the environment: `CHAT_MAX_SESSIONS`. */
export function variableOf(name: string): string {
  return `CHAT_${kebabCase(name).replaceAll('-', '_').toUpperCase()}`;
}

/** What the help says of an option. */
export function helpOf({ text, default: plain, defaultText }: OptionRow): string {
  const inForce = defaultText ?? plain;
  return inForce === undefined ? text : `${text} (default: ${inForce})`;
}

/** Other limits are named as on the command line. */
function limitRow(limit: Limit): OptionRow {
  const withFlags = (text: string): string =>
    text.replace(/`(\w+)`/g, (_, word: string) => (Object.hasOwn(LIMITS, word) ? flagOf(word) : word));
  const { unit, text, defaultText } = limit;
  return {
    type: 'limit',
    shown: unit,
    text: withFlags(text),
    defaultText: withFlags(defaultText),
    limit,
  };
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
