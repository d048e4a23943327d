import { describe, expect, it } from 'vitest';
import { entryRows } from '../../../src/screen/rows/entry-rows.js';
import type { Note } from '../../../src/screen/rows/note.js';
import { rowWidth } from '../../../src/screen/rows/row.js';
import { type NoteItem, type SpokenItem, spokenItem } from '../../../src/screen/rows/shown-item.js';
import { NOON, textOf } from '../support/states.js';

function spoken(name: string, value: string): SpokenItem {
  return spokenItem({ at: NOON, name, own: false, value }, 'ada');
}

function noteItem(text: string, tone: Note['tone']): NoteItem {
  return { type: 'note', at: NOON, tone, lines: [text] };
}

describe('entryRows', () => {
  it('makes rows of exactly the width, whatever is in them', () => {
    const texts = [
      'plain',
      'x'.repeat(300),
      '漢字'.repeat(50),
      'مرحبا بكم '.repeat(20),
      '🦊'.repeat(99),
      'a\n\nb',
      'हिन्दी '.repeat(9),
    ];
    for (const columns of [16, 40, 55, 56, 80, 200]) {
      for (const text of texts) {
        for (const name of ['bob', '漢字太郎漢字太郎', 'محمد', '🦊🦊🦊🦊🦊🦊🦊🦊🦊']) {
          for (const row of entryRows(spoken(name, text), columns))
            expect(rowWidth(row), `${columns} ${text}`).toBe(columns);
        }
      }
    }
  });

  it('gives names a column of their own where there is room', () => {
    expect(textOf(entryRows(spoken('bob', 'hello'), 60)[0]!)).toMatch(/^12:00 {12}bob │ hello +$/);
    expect(textOf(entryRows(spoken('bob', 'hello'), 40)[0]!)).toMatch(/^12:00 bob: hello +$/);
  });

  it('cuts a text that would fill the screen many times, and says so', () => {
    const rows = entryRows(spoken('mallory', 'x\n'.repeat(30_000)), 60);
    expect(rows).toHaveLength(60);
    expect(textOf(rows.at(-1)!)).toContain('cut: 30000 characters in all');
  });

  it('shows what waits, what failed and why', () => {
    expect(textOf(entryRows(spoken('ada', 'hi'), 60, 'pending')[0]!)).toMatch(/^ {2}… .*│ hi/);
    const failed = entryRows({ ...spoken('ada', 'hi'), failure: 'too large' }, 60).map(textOf);
    expect(failed[0]).toMatch(/^ {2}✗ .*│ hi/);
    expect(failed.slice(1).join('')).toMatch(/not sent: too large \(Alt-R/);
    const away = entryRows({ ...spoken('ada', 'hi'), waits: true }, 60).map(textOf);
    expect(away[0]).toMatch(/^12:00 .*│ hi/);
    expect(away.slice(1).join('')).toContain('waits: your partner is away');
  });

  it('marks notices and problems apart', () => {
    expect(textOf(entryRows(noteItem('bob has joined', 'notice'), 60)[0]!)).toContain('* │ bob has joined');
    expect(textOf(entryRows(noteItem('disconnected', 'problem'), 60)[0]!)).toContain('! │ disconnected');
  });
});
