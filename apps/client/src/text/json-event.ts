/**
 * Events as one JSON object each, for programs that read what `chat --json` writes.
 *
 * A program gets what was sent, and a terminal nothing to obey: JSON escapes only the controls below U+0020
 * by itself, so those from U+007F on, line ends of Unicode and marks of direction are escaped here.
 */
import { errorText, type SessionEvent } from '../session/session.js';

const OBEYED = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** @returns a line, or undefined for an event that says nothing to a program */
export function jsonEvent(event: SessionEvent): string | undefined {
  const value = plainValue(event);
  return value && JSON.stringify(value).replace(OBEYED, escaped);
}

function plainValue(event: SessionEvent): object | undefined {
  switch (event.type) {
    case 'message': {
      const { room, id, seq, at, sender, own, history, value, reply, reactions } = event.message;
      const said = { type: event.type, room, id, seq, at, from: sender.name, own, history, text: value };
      return { ...said, reply, reactions };
    }
    case 'direct': {
      const { id, seq, at, sender, to, own, value } = event.message;
      return { type: event.type, id, seq, at, from: sender.name, to, own: own || undefined, text: value };
    }
    case 'notice': {
      const { room, kind, id, seq, at, member, oldName, own, history, change } = event.notice;
      return {
        type: event.type,
        room,
        kind,
        id,
        seq,
        at,
        name: member.name,
        oldName,
        own,
        history,
        ...change,
      };
    }
    case 'gap': {
      const { room, reason, from, to } = event.gap;
      return { type: event.type, room, reason, from, to };
    }
    case 'state': {
      const { state } = event;
      const { status } = state;
      if (state.status === 'reconnecting') {
        return { type: event.type, status, attempt: state.attempt, error: state.error.code };
      }
      return state.status === 'closed'
        ? { type: event.type, status, error: state.reason.code }
        : { type: event.type, status };
    }
    case 'failed':
      return { type: event.type, what: event.what, error: errorText(event.error) };
    case 'unreadable': {
      const { room, id, sender, codec, body } = event.message;
      return { type: event.type, room, id, from: sender.name, codec, bytes: body.length };
    }
    case 'rooms':
      return { type: event.type, rooms: event.page.rooms };
    case 'found': {
      const { hits, cursor, behind } = event.page;
      const found = hits.map(({ sender, ...hit }) => ({ ...hit, from: sender.name }));
      return { type: event.type, query: event.query, hits: found, cursor, behind };
    }
    case 'help':
    case 'quit':
      return undefined;
    case 'room-left':
      return { type: event.type, room: event.room, error: event.error?.code };
    default:
      return event;
  }
}
