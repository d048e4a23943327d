/**
 * Entries of a room as the lines that the line dialect shows.
 *
 * All members of the line dialect at the same cursor see the same text, but for their own messages, which are
 * left out. So the text of a turn is made once, and once more only for those who spoke in it.
 */
import {
  CodecTag,
  decodeFrame,
  type Entry,
  FrameType,
  formatMessageLines,
  formatNoticeLine,
  NoticeKind,
  readU32,
  textCodec,
} from '@chat/protocol';
import type { Chunk } from './log/byte-log.js';

const CODEC_NAMES: ReadonlyMap<number, string> = new Map([
  [CodecTag.Bytes, 'bytes'],
  [CodecTag.MsgPack, 'MessagePack'],
]);

interface View {
  readonly chunk: Chunk;
  readonly from: number;
  readonly to: number;
  readonly senders: ReadonlySet<number>;
  readonly text: string;
}

export class LineView {
  #last: View | undefined;

  /** The entries of `chunk` from `offset` on, as lines, without those that `reader` caused. */
  text(chunk: Chunk, offset: number, reader: number): string {
    let view = this.#last;
    if (view?.chunk !== chunk || view.from !== offset || view.to !== chunk.used) {
      view = render(chunk, offset, undefined);
      this.#last = view;
    }
    return view.senders.has(reader) ? render(chunk, offset, reader).text : view.text;
  }
}

/** A direct message, which only its reader sees. */
export function directLines(chunk: Chunk, offset: number): string {
  let text = '';
  for (let at = offset; at < chunk.used; at += readU32(chunk.bytes, at)) {
    const entry = decodeFrame(chunk.bytes, at) as Entry;
    if (entry.type === FrameType.Message)
      text += formatMessageLines(`*** ${entry.name} whispers`, plain(entry));
  }
  return text;
}

function render(chunk: Chunk, from: number, without: number | undefined): View {
  const senders = new Set<number>();
  let text = '';
  for (let at = from; at < chunk.used; at += readU32(chunk.bytes, at)) {
    const entry = decodeFrame(chunk.bytes, at) as Entry;
    senders.add(entry.sender);
    if (entry.sender === without) continue;
    text += entry.type === FrameType.Message ? formatMessageLines(entry.name, plain(entry)) : notice(entry);
  }
  return { chunk, from, to: chunk.used, senders, text };
}

function notice(entry: Extract<Entry, { type: typeof FrameType.Notice }>): string {
  switch (entry.kind) {
    case NoticeKind.Joined:
      return formatNoticeLine(`${entry.name} has joined the chat`);
    case NoticeKind.Left:
      return formatNoticeLine(`${entry.name} has left the chat`);
    case NoticeKind.Lost:
      return formatNoticeLine(`${entry.name} has left the chat (connection lost)`);
    case NoticeKind.Renamed:
      return formatNoticeLine(`${entry.name} is now known as ${textCodec.decode(entry.body)}`);
  }
}

/** What of a body can be shown as text. A sender may tag anything as text, so it need not be. */
function plain(entry: Extract<Entry, { type: typeof FrameType.Message }>): string {
  if (entry.codec === CodecTag.Text || entry.codec === CodecTag.Json) {
    try {
      return textCodec.decode(entry.body);
    } catch {
      return `[${entry.body.length} bytes that are not text]`;
    }
  }
  return `[${entry.body.length} bytes of ${CODEC_NAMES.get(entry.codec) ?? `codec ${entry.codec}`}]`;
}
