/**
 * Entries of a room as the lines that the line dialect shows, rendered once for all who read them there.
 *
 * A piece is bounded, so that a reader's socket is looked at before more is rendered. The latest pieces are kept: all
 * members that are at the same place share them, whoever of them comes first.
 */
import { CodecTag, jsonCodec, textCodec } from '@chat/protocol';
import {
  CODEC_OFFSET,
  decodeFrame,
  type Edited,
  ENTRY_DEVICE_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_SENDER_OFFSET,
  type Entry,
  FrameType,
  NAME_BYTES_OFFSET,
  NOTICE_KIND_OFFSET,
  NoticeKind,
  type Reacted,
  type RoomChanged,
  readSent,
  readU32,
  type TakenBack,
  TYPE_OFFSET,
  type Withdrawn,
} from '@chat/protocol/frames';
import { formatMessageLines, formatNoticeLine } from '@chat/protocol/lines';
import type { Chunk } from '../../log/byte-log.js';
import { readRichText } from '../../log/messages/rich-text.js';
import { sessionNumber } from '../../log/state/session-number.js';
import { Piece } from './piece.js';
import { copyPlainText } from './plain-text.js';

/** A piece ends with the entry that reaches this size. */
const PIECE_BYTES = 65_536;
/** Pieces that are kept, and their bytes: what the busiest turn brings in. */
const KEPT_PIECES = 32;
const KEPT_BYTES = 2_097_152;
const FIRST_SCRATCH_BYTES = 4096;
const COLON = 0x3a;
const SPACE = 0x20;
const NEWLINE = 0x0a;
/** Bytes of a line besides name and text: the colon, the space and its end. */
const LINE_EXTRA_BYTES = 3;

const CODEC_NAMES: ReadonlyMap<number, string> = new Map([
  [CodecTag.Bytes, 'bytes'],
  [CodecTag.MsgPack, 'MessagePack'],
]);

export class LineView {
  readonly #maxLinesPerMessage: number;
  readonly #pieces: Piece[] = [];
  #keptBytes = 0;
  /** The one that was asked for last. */
  #latest = 0;
  #scratch: Buffer = Buffer.alloc(0);
  /** Of the piece that is rendered: where its runs end, and whose they are. */
  readonly #ends: number[] = [];
  readonly #senders: number[] = [];
  #length = 0;

  /** @param maxLinesPerMessage lines that one message becomes at the most, but for one that says so */
  constructor(maxLinesPerMessage: number) {
    this.#maxLinesPerMessage = maxLinesPerMessage;
  }

  /**
   * The entries of `chunk` from `offset` on, as far as one piece goes. There must be one at least.
   *
   * @param reader for whom it is
   */
  piece(chunk: Chunk, offset: number, reader: number): Piece {
    // A newcomer begins with its own coming, where nobody else is: in a rush of them nothing is kept for each.
    if (isComing(chunk.bytes, offset, reader)) return this.#render(chunk, offset);
    const pieces = this.#pieces;
    for (let i = 0; i < pieces.length; i++) {
      const at = (this.#latest + i) % pieces.length;
      const piece = pieces[at]!;
      if (piece.from === offset && piece.chunk === chunk) {
        this.#latest = at;
        return piece;
      }
    }
    const piece = this.#render(chunk, offset);
    this.#keptBytes += piece.bytes;
    while (pieces.length === KEPT_PIECES || (pieces.length > 0 && this.#keptBytes > KEPT_BYTES)) {
      this.#keptBytes -= pieces.shift()!.bytes;
    }
    this.#latest = pieces.push(piece) - 1;
    return piece;
  }

  #render(chunk: Chunk, from: number): Piece {
    const { bytes, used } = chunk;
    const ends = this.#ends;
    const senders = this.#senders;
    let runs = 0;
    let entries = 0;
    let to = from;
    this.#length = 0;
    while (to < used && this.#length < PIECE_BYTES) {
      const end = chunk.endOf(to);
      const sender = senderAt(bytes, to);
      if (!this.#tryCopy(bytes, to, end)) this.#write(entryLines(bytes, to, this.#maxLinesPerMessage));
      if (runs === 0 || senders[runs - 1] !== sender) senders[runs++] = sender;
      ends[runs - 1] = this.#length;
      entries++;
      to = end;
    }
    const text = Buffer.from(this.#scratch.subarray(0, this.#length));
    const span = { from, to, entries };
    return new Piece(chunk, span, text, firstOf(ends, runs), firstOf(senders, runs));
  }

  /** Most messages are one line of plain text: copied without being decoded. */
  #tryCopy(bytes: Buffer, at: number, end: number): boolean {
    if (bytes[at + TYPE_OFFSET] !== FrameType.Message || !isText(bytes[at + CODEC_OFFSET]!)) return false;
    const scratch = this.#reserve(end - at);
    const name = at + ENTRY_HEADER_BYTES;
    const body = name + bytes[at + NAME_BYTES_OFFSET]!;
    let to = this.#length;
    for (let i = name; i < body; i++) scratch[to++] = bytes[i]!;
    scratch[to++] = COLON;
    scratch[to++] = SPACE;
    to = copyPlainText(bytes, body, end, scratch, to);
    if (to === -1) return false;
    scratch[to++] = NEWLINE;
    this.#length = to;
    return true;
  }

  #write(lines: string): void {
    const scratch = this.#reserve(3 * lines.length);
    this.#length += scratch.write(lines, this.#length);
  }

  /** Makes space for a line of so many bytes. */
  #reserve(bytes: number): Buffer {
    const needed = this.#length + bytes + LINE_EXTRA_BYTES;
    if (this.#scratch.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * needed, FIRST_SCRATCH_BYTES));
      this.#scratch.copy(grown, 0, 0, this.#length);
      this.#scratch = grown;
    }
    return this.#scratch;
  }
}

/** A direct message, which only its reader sees. */
export function directLines(chunk: Chunk, offset: number, maxLinesPerMessage: number): string {
  const entry = decodeFrame(chunk.bytes, offset) as Entry;
  if (entry.type === FrameType.Notice) {
    if (entry.kind !== NoticeKind.Sent) return '';
    const { codec, to, body } = readSent(entry.body);
    return formatMessageLines(
      `*** you whisper to ${textCodec.decode(to)}`,
      plain({ codec, body }),
      maxLinesPerMessage,
    );
  }
  return formatMessageLines(`*** ${entry.name} whispers`, plain(entry), maxLinesPerMessage);
}

function entryLines(bytes: Buffer, at: number, maxLinesPerMessage: number): string {
  const entry = decodeFrame(bytes, at) as Entry;
  if (entry.type === FrameType.Message) {
    return formatMessageLines(entry.name, plain(entry), maxLinesPerMessage);
  }
  switch (entry.kind) {
    case NoticeKind.Joined:
      return formatNoticeLine(`${entry.name} has joined the chat`);
    case NoticeKind.Left:
      return formatNoticeLine(`${entry.name} has left the chat`);
    case NoticeKind.Gone:
      return formatNoticeLine(`${entry.name} has left the chat (connection lost)`);
    case NoticeKind.Renamed:
      return formatNoticeLine(`${entry.name} is now known as ${textCodec.decode(entry.body)}`);
    case NoticeKind.TakenBack: {
      const { of } = jsonCodec.decode(entry.body) as TakenBack;
      const whose = of.id === entry.sender ? 'a message' : `a message of ${of.name}`;
      return formatNoticeLine(`${entry.name} has taken back ${whose}`);
    }
    case NoticeKind.Edited: {
      const { text } = jsonCodec.decode(entry.body) as Edited;
      return formatMessageLines(`*** ${entry.name} has edited a message`, text, maxLinesPerMessage);
    }
    case NoticeKind.Reacted: {
      const { of, reaction, removed } = jsonCodec.decode(entry.body) as Reacted;
      const whose = of.id === entry.sender ? 'a message of its own' : `a message of ${of.name}`;
      return removed ? '' : formatNoticeLine(`${entry.name} reacts to ${whose} with ${reaction}`);
    }
    case NoticeKind.Changed:
      return formatNoticeLine(changeText(entry.name, jsonCodec.decode(entry.body) as RoomChanged));
    default:
      return formatNoticeLine('something has happened here that this server does not know of');
  }
}

/** What somebody has changed about a room, as a line. */
function changeText(name: string, { settings, role }: RoomChanged): string {
  if (role) return `${name} has made ${role.name} ${role.role}`;
  const { topic, byInvitation, readOnly, hidden, slowMs } = settings ?? {};
  const modes = [
    ...(byInvitation ? ['by invitation'] : []),
    ...(readOnly ? ['read-only'] : []),
    ...(hidden ? ['hidden'] : []),
    ...(slowMs ? [`one message in ${slowMs / 1000} seconds`] : []),
  ];
  const about = topic === undefined ? 'without a topic' : `topic: ${topic}`;
  return `${name} has changed the room: ${[about, ...modes].join('; ')}`;
}

/** The text of a body, or a description of it. A sender may tag anything as text. */
function plain(entry: { readonly codec: number; readonly body: Uint8Array }): string {
  if (entry.codec === CodecTag.Withdrawn) {
    const { by } = jsonCodec.decode(entry.body) as Withdrawn;
    return `[taken back by ${by}]`;
  }
  if (entry.codec === CodecTag.Rich) {
    const rich = readRichText(entry.body);
    if (rich) return rich.text;
  }
  if (isText(entry.codec)) {
    try {
      return textCodec.decode(entry.body);
    } catch {
      return `[${entry.body.length} bytes that are not text]`;
    }
  }
  return `[${entry.body.length} bytes of ${CODEC_NAMES.get(entry.codec) ?? `codec ${entry.codec}`}]`;
}

/** An array of exactly that size: pieces are kept, and in a rush there are many. */
function firstOf(numbers: readonly number[], count: number): Float64Array {
  const exact = new Float64Array(count);
  for (let i = 0; i < count; i++) exact[i] = numbers[i]!;
  return exact;
}

function isComing(bytes: Buffer, at: number, member: number): boolean {
  return (
    bytes[at + TYPE_OFFSET] === FrameType.Notice &&
    bytes[at + NOTICE_KIND_OFFSET] === NoticeKind.Joined &&
    senderAt(bytes, at) === member
  );
}

/** The number of the session that an entry is of. */
function senderAt(bytes: Buffer, at: number): number {
  return sessionNumber(
    readU32(bytes, at + ENTRY_SENDER_OFFSET),
    bytes.readUInt16LE(at + ENTRY_DEVICE_OFFSET),
  );
}

function isText(codec: number): boolean {
  return codec === CodecTag.Text || codec === CodecTag.Json;
}
