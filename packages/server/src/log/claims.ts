/**
 * Claims: entries that nobody is shown, and that change who is here. What they bring about is decided where they come
 * back from the log, in its order, so everybody who reads the log knows the same.
 *
 * Their fields are JSON, since they are rare, and people read them in the file of a durable log.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { CLAIM, ClaimKind, type Draft, type Origin } from './entry.js';
import type { SessionKicked, SessionPlace } from './state/chat-state.js';
import type { Decision } from './state/decision.js';
import type { PlaceRead } from './state/users/read-positions.js';

/** Fields of {@link ClaimKind.SessionOpened}. Secrets are there as hashes only, see {@link hashSecret}. */
export interface SessionOpened {
  /** Public name of the session, for resuming. */
  readonly id: string;
  readonly secretHash: string;
  readonly clientHash?: string;
  /** The name that `authenticate` gave it. */
  readonly account?: string;
  /** Whether it is one more session of the user of that account, if there is one. */
  readonly isFurther?: true;
  /** Whether it may come back over another connection; the line dialect has no way to. */
  readonly isResumable: boolean;
  /** Where it is connected from; said where several processes share the log. */
  readonly place?: SessionPlace;
}

/** Fields of {@link ClaimKind.RoomForgotten}. */
export interface RoomForgotten {
  /** One that was made again since, and has another handle, is not meant. */
  readonly handle: number;
}

/** Fields of {@link ClaimKind.ProcessGone}. */
export interface ProcessGone {
  readonly process: number;
}

/** Fields of {@link ClaimKind.Banned} and {@link ClaimKind.Unbanned}. */
export interface Ban {
  /** What is banned: looks of names, keys of addresses. */
  readonly looks: readonly string[];
  readonly addresses: readonly string[];
  /** Ranges of addresses, as they were given. */
  readonly ranges?: readonly string[];
  /** Server time in milliseconds since 1970 at which it ends; absent: never. */
  readonly until?: number;
  /** What was given, for the list of bans. A ban of an older version is in no list. */
  readonly target?: string;
  /** Name of the one who has decided it. */
  readonly by?: string;
  readonly reason?: string;
}

/** Fields of {@link ClaimKind.ReadUpTo}. */
export interface ReadUpTo {
  readonly reads: readonly PlaceRead[];
}

/** Fields of {@link ClaimKind.BlocksChanged}: one of the two. */
export interface BlocksChanged {
  /** The name that was given, and the keys of whom it holds for, see `keysOf`. */
  readonly block?: { readonly target: string; readonly keys: readonly string[] };
  /** Keys of whom it held for. */
  readonly unblock?: readonly string[];
}

/** The fields that each kind of claim carries in its body. */
export interface ClaimFields {
  readonly [ClaimKind.SessionOpened]: SessionOpened;
  readonly [ClaimKind.SessionEnded]: undefined;
  readonly [ClaimKind.SessionRenamed]: undefined;
  readonly [ClaimKind.RoomOpened]: undefined;
  readonly [ClaimKind.RoomForgotten]: RoomForgotten | undefined;
  readonly [ClaimKind.Banned]: Ban;
  readonly [ClaimKind.Unbanned]: Ban;
  readonly [ClaimKind.ProcessCame]: undefined;
  readonly [ClaimKind.ProcessGone]: ProcessGone;
  readonly [ClaimKind.SessionTaken]: SessionPlace;
  readonly [ClaimKind.SessionKicked]: SessionKicked;
  readonly [ClaimKind.EvictionAsked]: undefined;
  readonly [ClaimKind.CredentialsAsked]: undefined;
  readonly [ClaimKind.Barrier]: undefined;
  readonly [ClaimKind.Moderated]: Decision;
  readonly [ClaimKind.ReadUpTo]: ReadUpTo;
  readonly [ClaimKind.BlocksChanged]: BlocksChanged;
}

/** What a claim is about, beside its fields. */
export interface ClaimSubject {
  /** Member id; 0 where there is none yet. */
  readonly sender?: number;
  /** Key of a room. */
  readonly room?: string;
  readonly name?: Uint8Array;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  readonly origin?: Origin;
}

const NOTHING = new Uint8Array(0);

/** A claim, to be appended to a log. */
export function claim<Kind extends ClaimKind>(
  kind: Kind,
  { sender = 0, room = '', name = NOTHING, at, origin }: ClaimSubject,
  fields: ClaimFields[Kind],
): Draft {
  const body = fields === undefined ? NOTHING : new TextEncoder().encode(JSON.stringify(fields));
  return { room, type: CLAIM, codec: 0, kind, sender, name, body, at, publishId: 0, origin };
}

/** The fields of a claim of that kind. The log was written by us: what it holds is not checked again. */
export function claimFields<Kind extends ClaimKind>(_kind: Kind, body: Uint8Array): ClaimFields[Kind] {
  return (body.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(body))) as ClaimFields[Kind];
}

/** What is kept of a secret: enough to know it again. SHA-256 is enough for secrets that nobody can guess. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Whether `given` is the secret of that hash, in a time that tells nothing about it. */
export function isSecretOf(hash: string | undefined, given: string | undefined): boolean {
  if (hash === undefined || given === undefined) return false;
  const [left, right] = [Buffer.from(hash), Buffer.from(hashSecret(given))];
  return left.length === right.length && timingSafeEqual(left, right);
}
