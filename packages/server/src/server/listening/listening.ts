/**
 * The addresses that a server listens on: TCP ports and Unix sockets, with TLS or without, from `listen` until the
 * server goes away. What comes in is handed to the acceptor.
 */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { DEFAULT_PORT } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import type { Acceptor } from '../../connection/acceptor.js';
import {
  assertTlsNames,
  CERTIFICATES_NAMES,
  TLS_NAMES,
  type TlsCertificates,
  TlsLayer,
  type TlsOptions,
} from '../../connection/tls.js';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { peerAddress } from '../../limits/addresses/address-ranges.js';
import type { RefusalLog } from '../../limits/refusal-log.js';
import { assertNames } from '../../options/option-names.js';
import type { ResolvedOptions } from '../../options/options.js';
import { listenOnSocket } from '../unix-socket.js';

/** Where to listen: a TCP port or the path of a Unix socket (a named pipe on Windows). */
export interface ListenAddress {
  /** 0 lets the system choose. @defaultValue 12345 */
  readonly port?: number;
  /** @defaultValue '::', which takes IPv4 as well; '0.0.0.0' where there is no IPv6 */
  readonly host?: string;
  /**
   * Path of a Unix socket, instead of port and host. A file that a dead process left there is replaced; one that
   * somebody listens on is not.
   */
  readonly path?: string;
  /** Permissions of that socket's file, as 0o660. @defaultValue as the umask says */
  readonly mode?: number;
  /** Number of the group that the file belongs to. @defaultValue the group of the process */
  readonly group?: number;
  /** Takes TLS beside the plain dialects on the same port, or instead of them. */
  readonly tls?: TlsOptions;
}

/** Options of `listen`. */
const LISTEN_NAMES: OptionNames<ListenAddress> = {
  port: true,
  host: true,
  path: true,
  mode: true,
  group: true,
  tls: true,
};

/** A TCP port that a server listens on. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** A Unix socket that a server listens on. */
export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

/** Where a server listens. */
export type ListeningAddress = TcpAddress | UnixAddress;

interface Listener {
  readonly server: Server;
  readonly tls: TlsLayer | undefined;
  readonly address: ListeningAddress;
}

/** What listening needs of the server. */
export interface ListeningContext {
  readonly options: ResolvedOptions;
  readonly refusals: RefusalLog;
}

export class Listening {
  readonly #context: ListeningContext;
  readonly #acceptor: Acceptor;
  readonly #listeners: Listener[] = [];
  #stopped: Promise<unknown> | undefined;

  constructor(context: ListeningContext, acceptor: Acceptor) {
    this.#context = context;
    this.#acceptor = acceptor;
  }

  /** In the order of the calls to `listen`. */
  get addresses(): readonly ListeningAddress[] {
    return this.#listeners.map(({ address }) => address);
  }

  /**
   * Listens at one more address, checked by {@link assertListenAddress}.
   *
   * @returns the real address, also where port 0 was asked for
   * @throws ServerError `ERR_SERVER_LISTEN`, `ERR_SERVER_CLOSED`, `ERR_SERVER_BAD_OPTION` for a certificate
   */
  async listen(address: ListenAddress): Promise<ListeningAddress> {
    const tls = address.tls && this.#createTls(address.tls);
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#acceptor.accept(socket, tls);
    });
    const { path, port = DEFAULT_PORT, host } = address;
    try {
      if (path === undefined) await listenOnPort(server, port, host);
      else await listenOnSocket(server, path, BACKLOG, address);
    } catch (cause) {
      const where = path ?? (host ? `${host}:${port}` : `port ${port}`);
      const message = `cannot listen on ${where}: ${(cause as Error).message}`;
      throw new ServerError(ServerErrorCode.Listen, message, { cause });
    }
    server.removeAllListeners('error');
    server.on('error', (err) => this.#context.options.logger.error({ err }, 'a listener failed'));
    if (this.#stopped) {
      server.close();
      throw new ServerError(ServerErrorCode.Closed, 'the server was closed while it began to listen');
    }
    const listening = describe(server, address);
    this.#listeners.push({ server, tls, address: listening });
    return listening;
  }

  /** @throws ServerError `ERR_SERVER_BAD_OPTION` when certificate and key cannot be used */
  reloadCertificate(certificates: TlsCertificates): void {
    assertTlsNames(certificates, CERTIFICATES_NAMES, { method: 'reloadCertificate' });
    for (const { tls } of this.#listeners) tls?.reload(certificates);
  }

  /** Takes no connection any more; resolves when the last one that there is has gone. Idempotent. */
  stop(): Promise<unknown> {
    this.#stopped ??= Promise.all(
      this.#listeners.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    return this.#stopped;
  }

  #createTls(options: TlsOptions): TlsLayer {
    const { options: resolved, refusals } = this.#context;
    const tls: TlsLayer = new TlsLayer(options, resolved.handshakeTimeoutMs, {
      onSecure: (socket) => this.#acceptor.acceptInside(socket, tls),
      onFailed: (err, socket) => {
        const address = peerAddress(socket);
        resolved.logger.debug({ err, address }, 'TLS handshake failed');
        if (options.clientCa !== undefined && isAboutCertificate(err)) {
          const message = 'refused without a certificate of the authority that is asked for';
          refusals.refused('tls.clientCa', address, message);
        }
        socket.destroy();
      },
    });
    return tls;
  }
}

/** Connections that the system holds until they are accepted. */
const BACKLOG = 4096;

/** Without a host Node takes both families, or IPv4 alone where there is no other. */
function listenOnPort(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host ? { host } : {}), backlog: BACKLOG }, resolve);
  });
}

/** OpenSSL's codes for a certificate of the other side that is missing, or that does not do. */
function isAboutCertificate(error: Error & { readonly code?: string }): boolean {
  return /CERT/.test(error.code ?? '') || /CERT|certificate/i.test(error.message);
}

/**
 * A listener of the program is no address: the server has its own.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function assertListenAddress(address: ListenAddress): void {
  assertNames(address, LISTEN_NAMES, { method: 'listen' });
  const { port, host, path, mode, group, tls } = address;
  if (tls !== undefined) assertTlsNames(tls, TLS_NAMES, { method: 'listen', group: 'tls' });
  const bad = (message: string): ServerError =>
    new ServerError(ServerErrorCode.BadOption, `listen: ${message}`);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw bad(`port must be a whole number from 0 to 65535, got ${String(port)}`);
  }
  for (const [name, value] of Object.entries({ host, path })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw bad(`${name} must be text, got ${String(value) || 'none'}`);
    }
  }
  if (path !== undefined && (port !== undefined || host !== undefined)) {
    throw bad('a path stands instead of port and host, not beside them');
  }
  if (path === undefined && (mode !== undefined || group !== undefined)) {
    throw bad('mode and group are those of the file at path');
  }
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw bad(`mode must be permissions from 0 to 0o777, got ${String(mode)}`);
  }
  if (group !== undefined && !(Number.isInteger(group) && group >= 0)) {
    throw bad(`group must be the number of a group, got ${String(group)}`);
  }
}

function describe(server: Server, wanted: ListenAddress): ListeningAddress {
  if (wanted.path !== undefined) return { kind: 'unix', path: wanted.path };
  const { address, port } = server.address() as AddressInfo;
  return { kind: 'tcp', host: address, port, tls: wanted.tls !== undefined };
}
