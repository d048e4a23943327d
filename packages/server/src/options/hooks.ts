/**
 * Where the program around the server decides. A hook may be asynchronous; while it decides about one
 * session, only that session waits, in order. A hook that throws is a defect: the peer is told `internal`,
 * the error is logged, and nobody else notices.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { PeerCertificate } from 'node:tls';

import type { Role } from '@chat/protocol/frames';
import type { ModerationAction } from '../log/state/permissions.js';

/** A connection, as hooks and listeners see it. */
export interface SessionInfo {
  /** Id of the user in entries, the same for all sessions of an account; 0 before the handshake is complete. */
  readonly memberId: number;
  /** Which of the user's sessions it is; 0 for the first, and for a guest. */
  readonly device: number;
  readonly name: string;
  /** Remote address, empty for a Unix socket. */
  readonly address: string;
  readonly dialect: 'binary' | 'line' | 'websocket';
  /** What `authenticate` returned as claims. */
  readonly claims: unknown;
}

/** How a client came here, for as long as `authenticate` decides. Without HTTP there are neither headers nor a URL. */
export interface ClientRequest {
  /** Of the WebSocket's upgrade, names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** As it was asked for: `/ws?room=kitchen`. Empty without HTTP. */
  readonly url: string;
  /** What stands behind the `?` of the URL. */
  readonly query: URLSearchParams;
  /** By name; the first of a name counts. */
  readonly cookies: ReadonlyMap<string, string>;
  /** Of a client that showed one, checked against `clientCa`; a listener without `clientCa` asks for none. */
  readonly certificate: PeerCertificate | undefined;
  /**
   * The same for all hellos of one client: a digest of its secret. A client that has it was here before, or has made it
   * up now; it says nothing about who it is. Empty in the line dialect.
   */
  readonly clientId: string;
}

/** Somebody who wants in, as `authenticate` sees it. */
export interface Visitor extends SessionInfo {
  readonly request: ClientRequest;
}

/** Why somebody is not let in: the name of the close code. */
export type VisitorRefusal = 'unauthorized' | 'forbidden' | 'name-taken' | 'rate-limited' | 'overloaded';

/** The answer of `authenticate`. */
export type AuthenticateResult =
  | {
      readonly ok: true;
      /**
       * The name that the session gets, whatever was wanted; it cannot rename itself unless `authorize` allows it. Where
       * credentials are asked for again, another name than before is another account: it gets a session of its own. Ids
       * are fine. One with a colon (`auth0:123`) is `name-invalid`, since a line of text is `name: text`: map it, for
       * example to `auth0|123`.
       */
      readonly name?: string;
      /** Handed to the other hooks. */
      readonly claims?: unknown;
      /**
       * How long these credentials are good for. Then the connection is closed with `credentials-expired`; the
       * client comes back by itself, is asked about again, and has lost nothing. @defaultValue for ever
       */
      readonly expiresInMs?: number;
      /**
       * Sessions to which `authenticate` gave the same name are those of one user, up to `maxSessionsPerUser`. Whether
       * the oldest of them is shown out for one that would be too many. @defaultValue as `duplicateNames` says
       */
      readonly takesOver?: boolean;
    }
  | {
      readonly ok: false;
      /** For people. */
      readonly reason?: string;
      /** With the last two the client comes back by itself, with the others it does not. @defaultValue 'unauthorized' */
      readonly code?: VisitorRefusal;
      /** When a client that may come back is to, in milliseconds. */
      readonly retryAfterMs?: number;
      /**
       * Has the line dialect ask for a password: the hook is asked again, with what comes as credentials,
       * `{ password }`. Others are refused, and may come back with credentials.
       */
      readonly asks?: 'password';
    };

/** The answer of `onMessage`: nothing to let it pass, a body to replace it, a reason to refuse it. */
export type MessageDecision = undefined | { readonly body: Uint8Array } | { readonly reject: string };

/** What `authorize` is asked about. */
export type AuthorizedAction = 'join' | 'write' | 'list' | 'rename' | 'edit' | 'react' | ModerationAction;

/** What more there is to know of a question of `authorize`. */
export interface AuthorizeQuestion {
  /** The one whom it is done to, as the session has named it. */
  readonly user?: string;
  /** The role of the session there. */
  readonly role: Role;
}

/**
 * The answer of `authorize`. `true`: as far as it is up to this hook; for what takes a role, the role decides then, as it does
 * without an answer. `'allow'`: whatever the role is, and whatever the rules of the room say; a ban and a mute still hold.
 */
export type AuthorizeAnswer = boolean | 'allow' | undefined;

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Decisions that the server leaves to its user. */
export interface Hooks {
  /**
   * Whether somebody with these credentials may come in; may choose the name. Bounded by `handshakeTimeoutMs`.
   * Asked again when a session comes back whose credentials ran out: `session` is then what it was. How the client
   * came, with headers, cookies and certificate, is in `session.request`.
   */
  readonly authenticate?: (
    credentials: unknown,
    session: Visitor,
    signal: AbortSignal,
  ) => Awaitable<AuthenticateResult>;
  /**
   * Whether a name belongs to somebody whom `authenticate` knows: nobody gets it by wishing for it, at the door or later,
   * but is told `name-taken`. Names that look like one another are the hook's to know, see `looks`.
   */
  readonly isReserved?: (name: string) => boolean;
  /**
   * Whether a session may do something: `join` a room (and so read it), `write` to one (messages and signals), see it
   * in a `list`, or `rename` itself, where `target` is the wanted name. Of a direct message the target is empty.
   *
   * Of everything that takes a role (`kick`, `mute` and the like: `docs/moderation.md` has the table), of `edit`, which is of its
   * own messages, and of `react`: `target` is the name of the room, or empty for the whole server. These come with a
   * `question`.
   */
  readonly authorize?: (
    session: SessionInfo,
    action: AuthorizedAction,
    target: string,
    question?: AuthorizeQuestion,
  ) => Awaitable<AuthorizeAnswer>;
  /** Looks at each message, but not at signals, before it is in the log. The body is borrowed: copy it to keep it. */
  readonly onMessage?: (
    message: {
      /** Empty for a direct message. */
      readonly room: string;
      /** Name of the member whom a direct message is for. */
      readonly to: string | undefined;
      readonly codec: number;
      readonly body: Uint8Array;
    },
    session: SessionInfo,
  ) => Awaitable<MessageDecision>;
}
