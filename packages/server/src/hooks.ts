/**
 * Where the program around the server decides. A hook may be asynchronous; while it decides about one
 * session, only that session waits, in order. A hook that throws is a defect: the peer is told `internal`,
 * the error is logged, and nobody else notices.
 */

/** What a hook is told about a connection. */
export interface SessionInfo {
  /** Id of the member in entries; 0 before the handshake is complete. */
  readonly memberId: number;
  readonly name: string;
  /** Remote address, empty for a Unix socket. */
  readonly address: string;
  readonly dialect: 'binary' | 'line' | 'websocket';
  /** What `authenticate` returned as claims. */
  readonly claims: unknown;
}

/** The answer of `authenticate`. */
export type AuthenticateResult =
  | { readonly ok: true; readonly name?: string; readonly claims?: unknown }
  | { readonly ok: false; readonly reason?: string };

/** The answer of `onMessage`: nothing to let it pass, a body to replace it, a reason to refuse it. */
export type MessageDecision = undefined | { readonly body: Uint8Array } | { readonly reject: string };

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Decisions that the server leaves to its user. */
export interface Hooks {
  /** Whether somebody with these credentials may come in; may choose the name. Bounded by `handshakeTimeoutMs`. */
  readonly authenticate?: (
    credentials: unknown,
    session: SessionInfo,
    signal: AbortSignal,
  ) => Awaitable<AuthenticateResult>;
  /** Whether a session may join a room or write to it. */
  readonly authorize?: (session: SessionInfo, action: 'join' | 'write', room: string) => Awaitable<boolean>;
  /** Looks at each message before it is in the log. The body is borrowed: copy it to keep it. */
  readonly onMessage?: (
    message: { readonly room: string; readonly codec: number; readonly body: Uint8Array },
    session: SessionInfo,
  ) => Awaitable<MessageDecision>;
}
