/**
 * The entries of a room as values: messages, notices, gaps, and messages that cannot be read.
 *
 * These are plain objects that belong to their receiver. `seq` and `prev` are the positions that prove
 * completeness: the `prev` of an entry is the `seq` of the entry before it, and where it is not, a {@link
 * Gap} stands between the two.
 */
import { type Codec, jsonCodec, type Member, textCodec } from '@chat/protocol';
import type { Edited, EntryHeader, Reacted, RoomChanged, TakenBack } from '@chat/protocol/frames';
import { SENT } from '../connection/frame-types.js';
import { ClientError } from '../errors.js';

/** The fields of every entry of a log. */
export interface EntryInfo {
  /** Name of the entry for all members: epoch and seq. */
  readonly id: string;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Position of the entry before it in the same room. */
  readonly prev: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** Whether this user caused it: this client, or another session of the same account. */
  readonly own: boolean;
  /** Present where it was another session of this user. */
  readonly elsewhere?: true;
  /**
   * Whether it is from before this client joined. Entries that were missed during a reconnect are not
   * history.
   */
  readonly history: boolean;
}

/** A message in a room. */
export interface Message<T = string> extends EntryInfo {
  readonly type: 'message';
  readonly room: string;
  /** The member that sent it, under the name of that time. */
  readonly sender: Member;
  readonly value: T;
  /** Tag of the codec it was encoded with. */
  readonly codec: number;
}

/** A message to this user alone; or one that this user has sent on another session. */
export interface DirectMessage<T = string> extends EntryInfo {
  readonly type: 'direct';
  readonly sender: Member;
  /** Name of its receiver, where this user has sent it on another session: `own` and `elsewhere` are set then. */
  readonly to?: string;
  readonly value: T;
  readonly codec: number;
}

/** A message whose body is not what this room speaks: other codec, malformed, or refused by the schema. */
export interface UnreadableMessage extends EntryInfo {
  readonly type: 'unreadable';
  /** Undefined for a message to this client alone. */
  readonly room: string | undefined;
  readonly sender: Member;
  readonly codec: number;
  /** The body as it came. Owned by the receiver. */
  readonly body: Uint8Array;
  /** `ERR_CLIENT_UNREADABLE`, with the codec's complaint as its cause. */
  readonly error: ClientError;
}

/** A member came, went or changed its name; or something has happened to a message, or to the room. */
export interface Notice extends EntryInfo {
  readonly type: 'notice';
  readonly room: string;
  /**
   * `gone`: the connection broke and did not come back. `taken-back`, `edited`, `reacted`: a message was, or somebody
   * to it; `changed`: the room is another: see `change`. `unknown`: of a later version of the protocol.
   */
  readonly kind: NoticeName | 'unknown';
  /** The member that it is about, under the new name if renamed; of the later kinds the one who did it. */
  readonly member: Member;
  /** The name before, if renamed. */
  readonly oldName: string | undefined;
  /** `TakenBack`, `Edited`, `RoomChanged` or `Reacted`, by the kind. */
  readonly change?: Partial<TakenBack & Edited & RoomChanged & Reacted>;
}

/** Entries with `from < seq <= to` were not, and will not be, delivered. */
export interface Gap {
  readonly type: 'gap';
  /** Undefined for the direct messages. */
  readonly room: string | undefined;
  /**
   * Why. `skipped`: this client read so slowly that the server moved it on. `expired`: the server no longer
   * holds them. `epoch-changed`: the server restarted with an empty log, and positions from before mean
   * nothing now. `session-gone`: direct messages may have gone to the session that could not be resumed.
   * `hole`: the chain of `prev` is broken, which is a defect of the server. `overflow`: they arrived before
   * anybody listened, and were too many to be kept.
   */
  readonly reason: 'skipped' | 'expired' | 'epoch-changed' | 'session-gone' | 'hole' | 'overflow';
  readonly from: number;
  readonly to: number;
}

/** Everything that a room tells, in order. */
export type RoomEntry<T = string> = Message<T> | Notice | Gap | UnreadableMessage;

/** Kinds of notices that say all by themselves; the later ones have a body of JSON. */
const PLAIN_KINDS = 4;
/** By `NoticeKind`, from 1 on. */
const NOTICE_NAMES = [
  'joined',
  'left',
  'renamed',
  'gone',
  'taken-back',
  'edited',
  'changed',
  'reacted',
] as const;
type NoticeName = (typeof NOTICE_NAMES)[number];

const MAX_CACHED_SENDERS = 4096;

/**
 * The ids of this client, and the members that it has heard of: entries are read against them.
 *
 * The name of a sender is decoded once and found again by the bytes of the last entry of the same sender.
 */
export class Identity {
  readonly #senders = new Map<number, { readonly nameBytes: Uint8Array; readonly member: Member }>();
  /** Ids that this client has, or had in earlier sessions of the epoch. */
  readonly #ids = new Set<number>();
  epoch = '';
  id = 0;
  name = '';
  /** Which of the user's sessions this is. */
  device = 0;

  /** Takes the identity of a session. */
  assume(epoch: string, { id, name }: Member, device = 0): void {
    if (epoch !== this.epoch) {
      this.#senders.clear();
      this.#ids.clear();
    }
    this.#ids.add(id);
    this.epoch = epoch;
    this.id = id;
    this.name = name;
    this.device = device;
  }

  owns(id: number): boolean {
    return this.#ids.has(id);
  }

  /** Whether it is of this very session. */
  saysHere({ sender, device }: EntryHeader): boolean {
    return device === this.device && this.owns(sender);
  }

  /** Whether it is of this user, and what an entry says of that. */
  claim({ sender, device }: EntryHeader): Pick<EntryInfo, 'own' | 'elsewhere'> {
    const own = this.owns(sender);
    return own && device !== this.device ? { own, elsewhere: true } : { own };
  }

  /** The member whose name is at `start … end`. */
  sender(id: number, bytes: Uint8Array, start: number, end: number): Member {
    const known = this.#senders.get(id);
    if (known && equals(known.nameBytes, bytes, start, end)) return known.member;
    const nameBytes = bytes.slice(start, end);
    const member: Member = { id, name: textCodec.decode(nameBytes) };
    if (this.#senders.size >= MAX_CACHED_SENDERS) this.#senders.clear();
    this.#senders.set(id, { nameBytes, member });
    return member;
  }
}

function equals(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** The surroundings of an entry: facts that its bytes do not hold. */
export interface EntryContext<T> {
  readonly identity: Identity;
  /** Undefined for direct messages. */
  readonly room: string | undefined;
  readonly codec: Codec<T>;
  /** Entries up to here are history. */
  readonly historyUntil: number;
}

/** Reads the message of this header, which goes on to `end`. Does not throw: a message that cannot be read is a value. */
export function readMessage<T>(
  { identity, room, codec: expected, historyUntil }: EntryContext<T>,
  header: EntryHeader,
  bytes: Uint8Array,
  end: number,
): Message<T> | DirectMessage<T> | UnreadableMessage {
  const { seq, prev, at, sender: senderId } = header;
  let { codec, nameStart, bodyStart } = header;
  const isSent = header.kind === SENT;
  if (isSent) {
    // As `readSent`: the name is that of the receiver.
    codec = bytes[bodyStart++]!;
    nameStart = bodyStart + 1;
    bodyStart = nameStart + bytes[bodyStart]!;
  }
  const body = bytes.subarray(bodyStart, end);
  const id = `${identity.epoch}-${seq}`;
  const info = { id, seq, prev, at, ...identity.claim(header), history: seq <= historyUntil };
  let sender: Member = { id: senderId, name: '' };
  let cause: unknown;
  try {
    sender = identity.sender(senderId, bytes, nameStart, bodyStart);
    if (codec === expected.tag) {
      const value = expected.decode(body);
      return room === undefined
        ? {
            type: 'direct',
            ...info,
            sender,
            value,
            codec,
            ...(isSent && { to: sender.name, sender: { id: senderId, name: identity.name } }),
          }
        : { type: 'message', room, ...info, sender, value, codec };
    }
  } catch (error) {
    cause = error;
  }
  const message = `a message of codec ${codec} does not decode as ${expected.name} (${expected.tag})`;
  const error = new ClientError('ERR_CLIENT_UNREADABLE', message, { cause });
  return {
    type: 'unreadable',
    room,
    ...info,
    sender,
    codec,
    body: body.slice(),
    error,
  };
}

/** Reads the notice of this header, which goes on to `end`. @throws ProtocolError when a name is not UTF-8 */
export function readNotice(
  { identity, room = '', historyUntil }: EntryContext<unknown>,
  header: EntryHeader,
  bytes: Uint8Array,
  end: number,
): Notice {
  const { seq, prev, at, sender, kind: number, nameStart, bodyStart } = header;
  const kind = NOTICE_NAMES[number - 1] ?? 'unknown';
  const name = textCodec.decode(bytes.subarray(nameStart, bodyStart));
  const renamed = kind === 'renamed';
  return {
    type: 'notice',
    room,
    kind,
    id: `${identity.epoch}-${seq}`,
    seq,
    prev,
    at,
    ...identity.claim(header),
    history: seq <= historyUntil,
    member: { id: sender, name: renamed ? textCodec.decode(bytes.subarray(bodyStart, end)) : name },
    oldName: renamed ? name : undefined,
    ...(number > PLAIN_KINDS &&
      kind !== 'unknown' && {
        change: jsonCodec.decode(bytes.subarray(bodyStart, end)) as TakenBack,
      }),
  };
}
