/** How a client came here, as `authenticate` sees it: what HTTP said, and what TLS proved. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { CarrierRequest } from '../session/peer.js';

/** Looked into when it is asked for, and not before: few servers do. */
export class SocketRequest implements CarrierRequest {
  readonly #socket: Socket;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly url: string;

  /** @param request of an upgrade; without it the client came without HTTP */
  constructor(socket: Socket, request?: IncomingMessage) {
    this.#socket = socket;
    this.headers = request?.headers ?? {};
    this.url = request?.url ?? '';
  }

  get query(): URLSearchParams {
    return new URLSearchParams(/\?(.*)$/s.exec(this.url)?.[1] ?? '');
  }

  get cookies(): ReadonlyMap<string, string> {
    return readCookies(this.headers.cookie ?? '');
  }

  get certificate(): PeerCertificate | undefined {
    const { getPeerCertificate, authorized } = this.#socket as Partial<TLSSocket>;
    if (!getPeerCertificate || authorized !== true) return undefined;
    const certificate = getPeerCertificate.call(this.#socket);
    return Object.keys(certificate).length === 0 ? undefined : certificate;
  }
}

/** RFC 6265, 5.4, the other way round. A value that is quoted or encoded stays what it is, but for the quotes. */
export function readCookies(header: string): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at <= 0 || name === '' || cookies.has(name)) continue;
    cookies.set(
      name,
      pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    );
  }
  return cookies;
}
