/**
 * `tcp://host:port`, `tls://host:port` and `unix:/path` for Node.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DEFAULT_PORT } from '@chat/protocol';
import { ClientError } from '../../errors.js';
import { onAbort } from '../../events/on-abort.js';
import type { OpenOptions, OpenTransport, TlsOptions, Transport, TransportSink } from '../transport.js';

/** Opens TCP, TLS and Unix sockets. */
export const openSocket: OpenTransport = (url, sink, options) => {
  if (options.headers !== undefined) {
    const message = `headers go with ws: and wss:, not with ${url}`;
    return Promise.reject(new ClientError('ERR_CLIENT_URL_UNSUPPORTED', message));
  }
  if (url.startsWith('unix:')) {
    // Not parsed as a URL: a path may hold anything, and on Windows it is the name of a pipe.
    const path = url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    return open(connectTcp({ path }), 'connect', sink, options);
  }
  const { protocol, hostname, port } = new URL(url);
  const host = decodeURIComponent(hostname).replace(/^\[(.*)\]$/, '$1');
  const target = { host, port: port === '' ? DEFAULT_PORT : Number(port), noDelay: true };
  if (protocol === 'tls:') {
    return open(connectTls({ ...target, ...tlsSettings(host, options.tls) }), 'secureConnect', sink, options);
  }
  return open(connectTcp(target), 'connect', sink, options);
};

/** The settings for `tls.connect`. SNI does not allow an address as the name of a server. */
export function tlsSettings(host: string, tls: TlsOptions = {}): Record<string, unknown> {
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  return { minVersion: 'TLSv1.2', ...name, ...tls };
}

function open(
  socket: Socket,
  openedEvent: 'connect' | 'secureConnect',
  sink: TransportSink,
  { signal }: OpenOptions,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const abort = () => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return abort();
    const stopWaiting = onAbort(signal, abort);
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('close', () => {
      stopWaiting();
      reject(failure ?? new Error('the connection ended before it was open'));
    });
    socket.once(openedEvent, () => {
      stopWaiting();
      socket.removeAllListeners('close');
      socket.on('data', (chunk) => sink.data(chunk as Uint8Array));
      socket.once('close', () => sink.closed(failure));
      resolve({
        framed: false,
        get bufferedBytes() {
          return socket.writableLength;
        },
        write: (bytes) => {
          if (socket.writable) socket.write(bytes);
        },
        end: () => {
          socket.end();
        },
        destroy: () => {
          socket.destroy();
        },
      });
    });
  });
}
