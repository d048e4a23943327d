/** An entry of a room as JSON: flat, with text for what is text. */
import type { RoomEntry } from '@chat/server';

/** What is answered for an entry. A body that is not text goes as base64. */
export function entryBody(entry: RoomEntry): object {
  switch (entry.type) {
    case 'gap': {
      const { type, from, to } = entry;
      return { type, from, to };
    }
    case 'notice': {
      const { type, id, seq, prev, at, kind, member, oldName } = entry;
      const before = oldName === undefined ? {} : { oldName };
      return { type, id, seq, prev, at, kind, name: member.name, member: member.id, ...before };
    }
    case 'message': {
      const { type, id, seq, prev, at, sender, value, reply } = entry;
      const said = { text: value, ...(reply === undefined ? {} : { reply }) };
      return { type, id, seq, prev, at, name: sender.name, member: sender.id, ...said };
    }
    case 'unreadable': {
      const { id, seq, prev, at, sender, codec, body } = entry;
      const base64 = Buffer.from(body).toString('base64');
      return { type: 'message', id, seq, prev, at, name: sender.name, member: sender.id, codec, base64 };
    }
  }
}
