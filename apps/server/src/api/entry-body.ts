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
      const { type, id, seq, prev, at, kind, member, oldName, change } = entry;
      const more = { ...(oldName === undefined ? {} : { oldName }), ...(change ? { change } : {}) };
      return { type, id, seq, prev, at, kind, name: member.name, member: member.id, ...more };
    }
    case 'message': {
      const { type, id, seq, prev, at, sender, value, reply, reactions } = entry;
      const more = { ...(reply === undefined ? {} : { reply }), ...(reactions ? { reactions } : {}) };
      const said = { text: value, ...more };
      return { type, id, seq, prev, at, name: sender.name, member: sender.id, ...said };
    }
    case 'unreadable': {
      const { id, seq, prev, at, sender, codec, body, takenBackBy } = entry;
      const info = { type: 'message', id, seq, prev, at, name: sender.name, member: sender.id };
      if (takenBackBy !== undefined) return { ...info, takenBackBy };
      return { ...info, codec, base64: Buffer.from(body).toString('base64') };
    }
  }
}
