/**
 * TLS on the chat port: which certificate is shown to whom, and exchanging it while people are connected.
 *
 * A certificate is used by every handshake that begins after it came; connections that are open keep theirs.
 */
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { OptionNames } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import { assertNames } from '../options/option-names.js';

/** A certificate and its key, PEM. */
export interface TlsCertificate {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** The certificate of a server, and those that it shows under other names. */
export interface TlsCertificates extends TlsCertificate {
  /**
   * Certificates for clients that ask for a certain host (SNI), by its name: `chat.example.org`, or `*.example.org`.
   * Everybody else sees `cert`. @defaultValue none
   */
  readonly serverNames?: Readonly<Record<string, TlsCertificate>>;
}

/** How a listener speaks TLS. */
export interface TlsOptions extends TlsCertificates {
  /** Authorities (PEM): only clients with a certificate of one of them are let in. @defaultValue none is asked for */
  readonly clientCa?: string | Uint8Array;
  /**
   * Refuses whatever does not speak TLS, in its own dialect. Always so with `clientCa`, which would keep nobody out
   * otherwise. @defaultValue false: the plain dialects are taken beside TLS
   */
  readonly required?: boolean;
  /** @defaultValue 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Options of `tls`. */
export const TLS_NAMES: OptionNames<TlsOptions> = {
  cert: true,
  key: true,
  serverNames: true,
  clientCa: true,
  required: true,
  minVersion: true,
};

/** What `reloadCertificate` takes. */
export const CERTIFICATES_NAMES: OptionNames<TlsCertificates> = { cert: true, key: true, serverNames: true };

/** What each of `serverNames` has. */
const CERTIFICATE_NAMES: OptionNames<TlsCertificate> = { cert: true, key: true };

/** Certificates, those of `serverNames` included. */
export function assertTlsNames(
  tls: TlsCertificates,
  names: Readonly<Record<string, true>>,
  where: { readonly method: string; readonly group?: string },
): void {
  assertNames(tls, names, where);
  const { method, group } = where;
  const path = group === undefined ? 'serverNames' : `${group}.serverNames`;
  for (const [host, certificate] of Object.entries(tls.serverNames ?? {})) {
    assertNames(certificate, CERTIFICATE_NAMES, { method, group: `${path}['${host}']` });
  }
}

/** What becomes of handshakes. */
export interface TlsHandlers {
  onSecure(socket: TLSSocket): void;
  onFailed(error: Error, socket: Socket): void;
}

/** The TLS of one listener. */
export class TlsLayer {
  readonly #options: TlsOptions;
  /** Whether what does not speak TLS is refused. */
  readonly isRequired: boolean;
  readonly #server: Server;
  #names: ReadonlyMap<string, SecureContext>;

  /** @throws ServerError `ERR_SERVER_BAD_OPTION` when certificate and key cannot be used */
  constructor(options: TlsOptions, handshakeTimeoutMs: number, { onSecure, onFailed }: TlsHandlers) {
    this.#options = options;
    this.isRequired = options.required ?? options.clientCa !== undefined;
    if (options.clientCa !== undefined && !this.isRequired) {
      const message =
        'tls.required must not be false with tls.clientCa: who leaves TLS out would need no certificate';
      throw new ServerError(ServerErrorCode.BadOption, message);
    }
    this.#names = withCertificate(() => this.#contexts(options));
    this.#server = withCertificate(() =>
      createServer({
        ...this.#context(options),
        requestCert: options.clientCa !== undefined,
        allowHalfOpen: true,
        handshakeTimeout: handshakeTimeoutMs,
        SNICallback: (name, answer) => answer(null, this.#named(name)),
      }),
    );
    this.#server.on('secureConnection', onSecure).on('tlsClientError', onFailed);
  }

  /** Takes over a connection whose first bytes, put back into the socket, are TLS. */
  start(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /**
   * Shows other certificates from now on. A certificate that is not given stays as it is.
   *
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when certificate and key cannot be used; nothing changes then
   */
  reload(certificates: TlsCertificates): void {
    withCertificate(() => {
      const names = certificates.serverNames ? this.#contexts(certificates) : this.#names;
      this.#server.setSecureContext(this.#context(certificates));
      this.#names = names;
    });
  }

  #contexts({ serverNames = {} }: TlsCertificates): ReadonlyMap<string, SecureContext> {
    return new Map(
      Object.entries(serverNames).map(([name, certificate]) => [
        name.toLowerCase(),
        createSecureContext(this.#context(certificate)),
      ]),
    );
  }

  /** RFC 6125, 6.4.3: a star stands for the leftmost label alone. */
  #named(name: string): SecureContext | undefined {
    const wanted = name.toLowerCase();
    return this.#names.get(wanted) ?? this.#names.get(wanted.replace(/^[^.]+/, '*'));
  }

  #context({ cert, key }: TlsCertificate): SecureContextOptions {
    const { clientCa, minVersion = 'TLSv1.2' } = this.#options;
    return { cert: pem(cert), key: pem(key), minVersion, ...(clientCa ? { ca: pem(clientCa) } : {}) };
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}

/** OpenSSL throws errors of its own. */
function withCertificate<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const message = `the certificate cannot be used: ${(cause as Error).message}`;
    throw new ServerError(ServerErrorCode.BadOption, message, { cause });
  }
}
