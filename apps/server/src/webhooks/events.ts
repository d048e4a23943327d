/** Entries of the feed as the events that a webhook sends: JSON with a fixed form, described in docs/http-api.md. */
import { CodecTag, jsonCodec, roomKey, textCodec } from '@chat/protocol';
import type { RichText, Withdrawn } from '@chat/protocol/frames';
import type { FeedEntry } from '@chat/server';
import type { WebhookEventKind, WebhookOptions } from './webhook-options.js';

/** One event of a delivery. */
export interface WebhookEvent {
  readonly type: WebhookEventKind | 'gap';
  readonly [field: string]: unknown;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Says which entries a webhook is told of, and how. */
export class EventFilter {
  readonly #events: ReadonlySet<string>;
  readonly #rooms: ReadonlySet<string> | undefined;

  constructor({ events, rooms }: Pick<WebhookOptions, 'events' | 'rooms'>) {
    this.#events = new Set(events);
    this.#rooms = rooms && new Set(rooms.map(roomKey));
  }

  /** The event for an entry; `undefined` when this webhook is not to be told. */
  eventOf(entry: FeedEntry): WebhookEvent | undefined {
    const event = eventOf(entry);
    if (event === undefined || event.type === 'gap') return event;
    if (!this.#events.has(event.type)) return undefined;
    const isElsewhere = 'room' in entry && this.#rooms?.has(roomKey(entry.room)) === false;
    return isElsewhere ? undefined : event;
  }
}

type NoticeKind = Extract<FeedEntry, { type: 'notice' }>['kind'];

/** What each kind of notice is told as; nothing of kinds that this version does not know. */
const NOTICE_EVENTS: Readonly<Record<NoticeKind, WebhookEventKind | undefined>> = {
  joined: 'joined',
  left: 'left',
  gone: 'left',
  renamed: 'renamed',
  edited: 'edited',
  'taken-back': 'taken-back',
  changed: 'room-changed',
  reacted: 'reacted',
  unknown: undefined,
};

function eventOf(entry: FeedEntry): WebhookEvent | undefined {
  if (entry.type === 'gap') return entry;
  const { id, seq, at } = entry;
  const info = { id, seq, at };
  switch (entry.type) {
    case 'message': {
      const { room, sender, codec, body } = entry;
      if (codec === CodecTag.Withdrawn) {
        const takenBackBy = (jsonCodec.decode(body) as Withdrawn).by;
        return { type: 'message', ...info, room, member: sender.id, name: sender.name, takenBackBy };
      }
      const isRich = codec === CodecTag.Rich;
      const said = isRich || codec === textCodec.tag ? textOf(body) : undefined;
      const value =
        said === undefined
          ? { codec, base64: Buffer.from(body).toString('base64') }
          : isRich
            ? // It was looked at when it was published.
              (JSON.parse(said) as RichText)
            : { text: said };
      return { type: 'message', ...info, room, member: sender.id, name: sender.name, ...value };
    }
    case 'notice': {
      const { room, kind, member, oldName, change } = entry;
      const type = NOTICE_EVENTS[kind];
      if (type === undefined) return undefined;
      const more = kind === 'gone' ? { isGone: true } : defined({ oldName, change });
      return { type, ...info, room, member: member.id, name: member.name, ...more };
    }
    case 'room-opened':
      return { type: entry.type, ...info, room: entry.room };
    case 'session-opened':
      return { type: entry.type, ...info, name: entry.name };
    case 'session-ended':
      return { type: entry.type, ...info, member: entry.member.id, name: entry.member.name };
    case 'kicked':
      return {
        type: entry.type,
        ...info,
        member: entry.member.id,
        name: entry.member.name,
        reason: entry.reason,
      };
    case 'banned': {
      const { name, addresses, until } = entry;
      return { type: entry.type, ...info, ...defined({ name, until }), addresses };
    }
  }
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
