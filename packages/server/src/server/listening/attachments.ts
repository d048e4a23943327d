/**
 * A chat inside an application that has an HTTP server already: upgrades of one path are taken, everything else is left
 * to the application.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseCode, WEBSOCKET_PATH } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import type { Acceptor } from '../../connection/acceptor.js';
import { endSocket } from '../../connection/link.js';
import { httpRefusal } from '../../dialects/http/http-answers.js';
import type { HttpDialect } from '../../dialects/http/http-dialect.js';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { assertNames } from '../../options/option-names.js';
import type { SteadyClock } from '../../time/clock.js';

/** Where the chat is in an application. */
export interface AttachOptions {
  /** Path of the WebSocket, without a query. @defaultValue '/ws' */
  readonly path?: string;
}

const ATTACH_NAMES: OptionNames<AttachOptions> = { path: true };

export class Attachments {
  readonly #acceptor: Acceptor;
  readonly #http: HttpDialect;
  readonly #clock: SteadyClock;
  readonly #detach = new Set<() => void>();

  constructor(acceptor: Acceptor, http: HttpDialect, clock: SteadyClock) {
    this.#acceptor = acceptor;
    this.#http = http;
    this.#clock = clock;
  }

  /**
   * Takes the upgrades of one path of `server`.
   *
   * @param take told of each
   * @returns lets go of the server
   * @throws ServerError `ERR_SERVER_BAD_OPTION`
   */
  attach(
    server: EventEmitter,
    options: AttachOptions,
    take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
  ): () => void {
    assertNames(options, ATTACH_NAMES, { method: 'attach' });
    const { path = WEBSOCKET_PATH } = options;
    if (typeof path !== 'string' || !path.startsWith('/') || /[?#\s]/.test(path)) {
      const message = `attach: path must begin with / and have no query, got ${String(path)}`;
      throw new ServerError(ServerErrorCode.BadOption, message);
    }
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (request.url?.split('?')[0] === path) take(request, socket, head);
      // Node would have answered it as a plain request, were it not for this listener: nobody else will.
      else if (server.listenerCount('upgrade') === 1) this.#refuse(socket, NOT_FOUND);
    };
    const detach = (): void => {
      server.off('upgrade', onUpgrade);
      this.#detach.delete(detach);
    };
    server.on('upgrade', onUpgrade);
    this.#detach.add(detach);
    return detach;
  }

  /** Takes one upgrade, once the server is `ready`. */
  async handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    ready: Promise<void>,
  ): Promise<void> {
    socket.on('error', ignore);
    try {
      await ready;
    } catch {
      this.#refuse(socket, httpRefusal(CloseCode.GoingAway));
      return;
    }
    if (socket.destroyed) return;
    // Of a server for TCP or TLS; anything else has no address, and cannot be written to by others.
    const connection = socket as Socket;
    if (this.#acceptor.adopt(connection, this.#http.clientAddress(request))) {
      this.#http.acceptUpgrade(request, connection, head);
    } else this.#refuse(socket, httpRefusal(CloseCode.TooManyConnections));
  }

  /** Lets go of every server. */
  close(): void {
    for (const detach of [...this.#detach]) detach();
  }

  #refuse(socket: Duplex, answer: string): void {
    endSocket(socket as Socket, this.#clock, answer);
  }
}

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

function ignore(): void {}
