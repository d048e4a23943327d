/** The connection to NATS. */
import type { Authenticator, NatsConnection } from '@nats-io/transport-node';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { NatsLibrary } from './library.js';
import type { NatsLogin, NatsLogOptions, NatsSecret } from './nats-options.js';

const RECONNECT_MS = 250;
const PING_MS = 2000;
/** A server that was stopped takes connections, and says nothing. */
const CONNECT_MS = 2000;

export interface ConnectWish {
  readonly servers: readonly string[];
  /** Answers come to subjects below this one, which those of other chats need not be allowed to read. */
  readonly inboxPrefix: string;
  readonly login: NatsLogin | undefined;
  readonly tls: NatsLogOptions['tls'];
  readonly connection: Readonly<Record<string, unknown>>;
}

/** @throws ServerError `ERR_SERVER_NATS_UNREACHABLE` */
export async function connectToNats(
  library: NatsLibrary,
  { servers, inboxPrefix, login, tls, connection }: ConnectWish,
): Promise<NatsConnection> {
  try {
    return await library.transport.connect({
      name: 'chat-server',
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      pingInterval: PING_MS,
      timeout: CONNECT_MS,
      ...(login ? { authenticator: authenticatorOf(library, login) } : {}),
      ...(tls ? { tls: { ...tls } } : {}),
      ...connection,
      inboxPrefix,
      servers: [...servers],
    });
  } catch (cause) {
    const message = `cannot connect to NATS at ${servers.join(', ')}: ${(cause as Error).message}`;
    throw new ServerError(ServerErrorCode.NatsUnreachable, message, { cause });
  }
}

function authenticatorOf({ transport }: NatsLibrary, login: NatsLogin): Authenticator {
  if ('credentials' in login) return transport.credsAuthenticator(bytesOf(login.credentials));
  if ('nkey' in login) return transport.nkeyAuthenticator(bytesOf(login.nkey));
  if ('token' in login) return transport.tokenAuthenticator(login.token);
  return transport.usernamePasswordAuthenticator(login.user, login.password);
}

function bytesOf(secret: NatsSecret): () => Uint8Array {
  return () => Buffer.from((typeof secret === 'string' ? secret : secret()).trim());
}
