/**
 * The entries of a room as the program around the server reads them: messages, notices, and gaps where something is
 * missing. They are the frames of the log, read in place, and values that belong to their receiver.
 */
import { type Codec, CodecTag, jsonCodec, type Member, ProtocolError } from '@chat/protocol';
import {
  type Edited,
  NoticeKind,
  type Reacted,
  type Reaction,
  type RoomChanged,
  readEntryHeader,
  type TakenBack,
  type Withdrawn,
} from '@chat/protocol/frames';
import { readRichText } from '../../log/messages/rich-text.js';

/** The fields of every entry. */
export interface RoomEntryInfo {
  /** Name of the entry for everybody: epoch and seq. */
  readonly id: string;
  /** As its first member wrote it. */
  readonly room: string;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Position of the entry before it in the same room. */
  readonly prev: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
}

/** A message in a room. */
export interface RoomMessage<T = string> extends RoomEntryInfo {
  readonly type: 'message';
  /** The member that sent it, under the name of that time. The id 0 is that of the program. */
  readonly sender: Member;
  readonly value: T;
  /** Tag of the codec that it is read with. */
  readonly codec: number;
  /** Position of the message that it answers. */
  readonly reply?: number;
  /** The emoji below it, with those who react with them. */
  readonly reactions?: readonly Reaction[];
}

/** A message of another codec than the one that is read, or whose body does not decode. */
export interface UnreadableRoomMessage extends RoomEntryInfo {
  readonly type: 'unreadable';
  readonly sender: Member;
  readonly codec: number;
  readonly body: Uint8Array;
  /** Name of the one who has taken it back, if that is why. */
  readonly takenBackBy?: string;
}

/** A member came, went or changed its name. */
export interface RoomNotice extends RoomEntryInfo {
  readonly type: 'notice';
  /**
   * `gone`: the connection broke and did not come back. `taken-back`, `edited`: what `change` says has happened to a
   * message. `changed`: the room is another. `reacted`: `change` says to what, and with which emoji. `unknown`: of a later
   * version.
   */
  readonly kind:
    | 'joined'
    | 'left'
    | 'gone'
    | 'renamed'
    | 'taken-back'
    | 'edited'
    | 'changed'
    | 'reacted'
    | 'unknown';
  /** The member that it is about, under the new name if renamed; of the later kinds the one who did it. */
  readonly member: Member;
  /** What was taken back, edited, changed or reacted to. */
  readonly change?: TakenBack | Edited | RoomChanged | Reacted;
  /** The name before, if renamed. */
  readonly oldName: string | undefined;
}

/** Entries with `from < seq <= to` are not held any more, or of another life of the log. */
export interface RoomGap {
  readonly type: 'gap';
  readonly room: string;
  readonly from: number;
  readonly to: number;
}

/** Everything that is read of a room, in order. */
export type RoomEntry<T = string> = RoomMessage<T> | UnreadableRoomMessage | RoomNotice | RoomGap;

/** What each kind of notice is called. */
export const NOTICE_KINDS: Readonly<Record<NoticeKind, RoomNotice['kind']>> = {
  [NoticeKind.Joined]: 'joined',
  [NoticeKind.Left]: 'left',
  [NoticeKind.Renamed]: 'renamed',
  [NoticeKind.Gone]: 'gone',
  [NoticeKind.TakenBack]: 'taken-back',
  [NoticeKind.Edited]: 'edited',
  [NoticeKind.Changed]: 'changed',
  [NoticeKind.Reacted]: 'reacted',
  // It is in no room.
  [NoticeKind.Sent]: 'unknown',
};

/** Kinds of notices whose body is JSON, written by this server. */
const CHANGES: Partial<Record<NoticeKind, true>> = {
  [NoticeKind.TakenBack]: true,
  [NoticeKind.Edited]: true,
  [NoticeKind.Changed]: true,
  [NoticeKind.Reacted]: true,
};

/** Reads the entry frame at `offset … end`. Does not throw for what members sent. */
export function readRoomEntry<T>(
  {
    epoch,
    room,
    codec: expected,
  }: { readonly epoch: string; readonly room: string; readonly codec: Codec<T> },
  { bytes, offset, end }: EntryFrame,
): Exclude<RoomEntry<T>, RoomGap> {
  const header = readEntryHeader(bytes, offset, end);
  const { seq, prev, at, kind, codec, nameStart, bodyStart } = header;
  const info = { id: entryId(epoch, seq), room, seq, prev, at };
  const name = text(bytes.subarray(nameStart, bodyStart));
  // Owned: a codec may answer a view of what it is given.
  const body = Uint8Array.from(bytes.subarray(bodyStart, end));
  if (kind !== 0) {
    const isRenamed = kind === NoticeKind.Renamed;
    const member = { id: header.sender, name: isRenamed ? text(body) : name };
    const change = changeOf(kind, body);
    return {
      type: 'notice',
      ...info,
      kind: NOTICE_KINDS[kind] ?? 'unknown',
      member,
      oldName: isRenamed ? name : undefined,
      ...(change ? { change } : {}),
    };
  }
  const sender = { id: header.sender, name };
  if (codec === expected.tag) {
    try {
      return { type: 'message', ...info, sender, value: expected.decode(body), codec };
    } catch (error) {
      if (!ProtocolError.is(error)) throw error;
    }
  }
  if (codec === CodecTag.Rich && expected.tag === CodecTag.Text) {
    const { text: said, ...more } = readRichText(body) ?? {};
    if (said !== undefined) {
      const value = expected.decode(Buffer.from(said));
      return { type: 'message', ...info, sender, value, codec: expected.tag, ...more };
    }
  }
  const takenBackBy = codec === CodecTag.Withdrawn ? takerOf(body) : undefined;
  return {
    type: 'unreadable',
    ...info,
    sender,
    codec,
    body,
    ...(takenBackBy === undefined ? {} : { takenBackBy }),
  };
}

/** Who has taken back what was a message once: the body of what is left of it, which this server has written. */
export function takerOf(body: Uint8Array): string {
  return (jsonCodec.decode(body) as Withdrawn).by;
}

/** What the body of such a notice says; `undefined` for the other kinds. */
export function changeOf(kind: NoticeKind, body: Uint8Array): RoomNotice['change'] {
  return kind in CHANGES ? (jsonCodec.decode(body) as RoomNotice['change']) : undefined;
}

/** Where an entry lies as a whole frame. */
export interface EntryFrame {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** Names an entry of one life of the log. */
export function entryId(epoch: string, seq: number): string {
  return `${epoch}-${seq}`;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
