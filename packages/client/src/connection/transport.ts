/**
 * The port below the client: something that carries bytes to a server and back, in order.
 *
 * A transport knows nothing of the chat but where its frames begin: each `write` is one or more whole frames,
 * so that a WebSocket may make one message of it. One contract suite runs on every implementation.
 */

/** An open connection. */
export interface Transport {
  /** Whether the dialect is agreed upon by the transport itself, so that no preface is to be sent. */
  readonly framed: boolean;
  /** Bytes that were written and are not yet taken by the operating system. */
  readonly bufferedBytes: number;
  /** Sends whole frames. The transport owns `bytes` from here on. Ignored after the end. */
  write(bytes: Uint8Array): void;
  /** Says goodbye: what was written still goes out. */
  end(): void;
  /** Drops the connection at once. */
  destroy(): void;
}

/** The receiver of a transport's bytes, and of its end. */
export interface TransportSink {
  /** Bytes, cut anywhere. They are not altered later. */
  data(chunk: Uint8Array): void;
  /** The connection is over; called once, and only if opening succeeded. `error` says why if it broke. */
  closed(error?: Error): void;
}

/** How to meet a server over TLS; as in `tls.connect` of Node. */
export interface TlsOptions {
  /** Certificates (PEM) to trust instead of the well-known ones. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Certificate (PEM) to show to the server. */
  readonly cert?: string | Uint8Array;
  /** Key (PEM) of that certificate. */
  readonly key?: string | Uint8Array;
  /** Name that the server's certificate must have, when it is not the one in the URL. */
  readonly servername?: string;
  /** False accepts any certificate: for tests only. @defaultValue true */
  readonly rejectUnauthorized?: boolean;
}

/** Headers by name, or what makes them for each attempt. */
export type UpgradeHeaders =
  | Readonly<Record<string, string>>
  | ((context: {
      readonly signal: AbortSignal;
    }) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/**
 * Opens a connection.
 *
 * @param options - `signal` gives up opening, and the promise rejects with its reason; `tls` is for `tls://`
 *   and `wss://`, and `headers` for WebSockets: both are ignored in the browser, which has its own
 * @returns a promise that rejects with the cause when the connection cannot be made
 */
export type OpenTransport = (
  url: string,
  sink: TransportSink,
  options: {
    readonly signal: AbortSignal;
    readonly tls?: TlsOptions | undefined;
    readonly headers?: UpgradeHeaders | undefined;
  },
) => Promise<Transport>;

/** The options with which a transport opens. */
export type OpenOptions = Parameters<OpenTransport>[2];
