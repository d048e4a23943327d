/** Pages of the past, from every position and in both directions, against a plain array of what is held. */
import { expect, it } from 'vitest';
import { UNLIMITED } from '../../src/options/options.js';
import { MemoryChat } from '../support/memory-chat.js';

it.each([8, 40, 1000])(
  'holds what an array would, and knows its end, with %i entries of retention',
  async (retentionEntries) => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionEntries });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const other = await ada.join('other');
    // Positions of the log that belong to another room lie between those of this one.
    for (let i = 0; i < 60; i++) await ada.say(i % 3 === 0 ? other.handle : handle, `${i}`);
    const all = ada.entries(handle);
    const held = all.slice(-memory.chat.rooms.find('lobby')!.log.entries);
    const seqs = (entries: readonly { readonly seq: number }[]) => entries.map(({ seq }) => seq);
    for (let position = 0; position <= all.at(-1)!.seq + 2; position++) {
      for (const limit of [1, 3, 100]) {
        const where = `${limit} from ${position}`;
        const before = await ada.history('lobby', { before: position, limit });
        const older = held.filter(({ seq }) => seq < position).slice(-limit);
        expect(seqs(before.entries), where).toEqual(seqs(older));
        expect(before.end, where).toBe(older.length === 0 || older[0] === held[0]);
        const after = await ada.history('lobby', { after: position, limit });
        const newer = held.filter(({ seq }) => seq > position).slice(0, limit);
        expect(seqs(after.entries), where).toEqual(seqs(newer));
        expect(after.end, where).toBe(newer.length === 0 || newer.at(-1) === held.at(-1));
      }
    }
  },
);
