/**
 * One entry of a conversation as rows: time, name, and the text beside them, wrapped.
 *
 * On a wide pane names end in one column; on a narrow one the text follows its name. A text that would fill
 * the screen several times is cut and says so.
 */

import { cellWidth, truncate, wrap } from './cell-text.js';
import { fitRow, type Look, type Row, type Span } from './row.js';
import type { NoteItem, SpokenItem } from './shown-item.js';

const TIME_COLUMNS = 6;
const NAME_COLUMNS = 14;
const MIN_COLUMNS_FOR_NAMES = 56;
const MAX_ROWS = 60;
const MAX_INLINE_NAME = 24;
const BORDER = ' │ ';
const WAITS = 'waits: your partner is away';
const FAILURE_KEYS = 'Alt-R sends it again, Alt-X drops it';

/** How an entry stands. */
export type Standing = 'logged' | 'pending';

/** The rows of `item`, each exactly `columns` wide. */
export function entryRows(
  item: SpokenItem | NoteItem,
  columns: number,
  standing: Standing = 'logged',
): Row[] {
  switch (item.type) {
    case 'spoken':
      return spokenRows(item, columns, standing);
    case 'note': {
      const problem = item.tone === 'problem' || item.tone === 'gap';
      const look: Look =
        item.tone === 'gap' ? 'warn' : problem ? 'alert' : item.tone === 'notice' ? 'dim' : 'plain';
      return block(clock(item.at), [{ text: problem ? '!' : '*', look }], item.lines, look, columns);
    }
  }
}

/** A line across the pane with a word in it. */
export function ruleRow(text: string, columns: number, look: Look): Row {
  const word = truncate(` ${text} `, columns);
  const left = Math.max(0, Math.floor((columns - cellWidth(word)) / 2));
  return fitRow([{ text: `${'─'.repeat(left)}${word}${'─'.repeat(columns)}`, look }], columns).map(
    (span) => ({
      ...span,
      // The cut is of the rule, not of a text.
      text: span.text.replace(/…$/, '─'),
    }),
  );
}

function spokenRows(item: SpokenItem, columns: number, standing: Standing): Row[] {
  const { name, own, failure, waits, lines } = item;
  const person: Span = { text: name, person: name, look: own ? 'strong' : 'plain' };
  const time = standing === 'pending' ? '  …' : failure === undefined ? clock(item.at) : '  ✗';
  const look: Look =
    standing === 'pending' ? 'dim' : failure !== undefined ? 'alert' : item.mentions ? 'strong' : 'plain';
  const said = item.action ? [{ text: '*' }, person] : [person];
  const above = item.quote === undefined ? [] : beside(`> ${item.quote}`, columns).slice(0, 1);
  const below = item.reactions === undefined ? [] : beside(item.reactions, columns);
  const rows = [...above, ...block(time, said, lines, look, columns), ...below];
  if (failure !== undefined) {
    return [...rows, ...block('', [], [`not sent: ${failure} (${FAILURE_KEYS})`], 'alert', columns)];
  }
  return waits ? [...rows, ...block('', [], [WAITS], 'dim', columns)] : rows;
}

/** What stands above or below what is said. */
function beside(text: string, columns: number): Row[] {
  return block('', [], [text], 'dim', columns);
}

/** Time, label and text. In a wide pane the first piece of the label has a column of its own. */
function block(time: string, label: Row, lines: readonly string[], look: Look, columns: number): Row[] {
  const hasColumn = columns >= MIN_COLUMNS_FOR_NAMES;
  const name = hasColumn ? label[0] : undefined;
  const more = hasColumn ? label.slice(1) : label;
  const start: Row = [{ text: time.padEnd(TIME_COLUMNS), look: 'dim' }];
  const head = hasColumn ? [...start, ...nameColumn(name)] : start;
  const below = hasColumn
    ? [{ text: ' '.repeat(TIME_COLUMNS) }, ...nameColumn(undefined)]
    : [{ text: ' '.repeat(TIME_COLUMNS) }];
  const sign = label.length === 1 && label[0]?.person !== undefined ? ': ' : ' ';
  const inline = more.map((span) => ({ ...span, text: `${truncate(span.text, MAX_INLINE_NAME)}${sign}` }));
  const indent = TIME_COLUMNS + (hasColumn ? NAME_COLUMNS + BORDER.length : 0);
  const width = Math.max(2, columns - indent);
  const lead = inline.map(({ text }) => text).join('');
  const rows: Row[] = [];
  for (const [index, line] of lines.entries()) {
    const text = index === 0 ? lead + line : line;
    for (const piece of wrap(text, width, MAX_ROWS + 1 - rows.length)) {
      const isFirst = rows.length === 0 && piece.startsWith(lead);
      const rest: Row = isFirst
        ? [...inline, { text: piece.slice(lead.length), look }]
        : [{ text: piece, look }];
      rows.push(fitRow([...(rows.length === 0 ? head : below), ...rest], columns));
    }
    if (rows.length > MAX_ROWS) break;
  }
  if (rows.length <= MAX_ROWS) return rows;
  const characters = lines.reduce((sum, line) => sum + line.length, 0);
  const cut = `… cut: ${characters} characters in all`;
  return [...rows.slice(0, MAX_ROWS - 1), fitRow([...below, { text: cut, look: 'warn' }], columns)];
}

/** The name at the right edge of its column, and the border behind it. */
function nameColumn(name: Span | undefined): Row {
  const text = truncate(name?.text ?? '', NAME_COLUMNS);
  const border: Span = { text: BORDER, look: 'dim' };
  return [{ text: ' '.repeat(NAME_COLUMNS - cellWidth(text)) }, ...(name ? [{ ...name, text }] : []), border];
}

function clock(at: number | undefined): string {
  if (at === undefined) return '';
  const date = new Date(at);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}
