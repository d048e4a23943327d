/**
 * The whole screen as rows: title, messages, list at the side, status, input.
 */
import { calmLine, cellWidth, graphemes } from '../rows/cell-text.js';
import { type Layout, layoutFor } from '../rows/layout.js';
import { messagePane } from '../rows/message-pane.js';
import { fitRow, type Row, type Span, spreadRow } from '../rows/row.js';
import type { InputLine } from '../state/input-line.js';
import { currentConversation, type ScreenState } from '../state/screen-state.js';
import { sidePane } from './side-pane.js';

/** A picture to be drawn. */
export interface Frame {
  /** Each as wide as the screen. */
  readonly rows: readonly Row[];
  /** The place of the terminal's cursor, in cells from the top left. */
  readonly cursor: { readonly column: number; readonly row: number };
}

/** @param now - for the countdown, in milliseconds since 1970 */
export function composeFrame(state: ScreenState, now: number): Frame {
  const layout = layoutFor(state.size);
  const { columns, pane } = layout;
  const conversation = currentConversation(state);
  const messages = conversation
    ? messagePane(conversation, pane)
    : { rows: Array.from({ length: pane.rows }, () => fitRow([], pane.columns)), entriesBelow: 0 };
  const body = withSide(messages.rows, state, layout);
  const input = inputRow(state, columns);
  const rows = [
    titleRow(state, columns),
    ...body,
    statusRow(state, columns, messages.entriesBelow, layout, now),
    input.row,
  ];
  // Of a screen that is too low, the input is what must be seen.
  const seen = rows.slice(-Math.max(1, state.size.rows));
  return { rows: seen, cursor: { column: input.cursor, row: seen.length - 1 } };
}

function withSide(rows: readonly Row[], state: ScreenState, { sideColumns, pane }: Layout): readonly Row[] {
  if (sideColumns === 0) return rows;
  const side = sidePane(state, sideColumns, pane.rows);
  return rows.map((row, index) => [...row, { text: '│ ', look: 'dim' as const }, ...(side[index] ?? [])]);
}

function titleRow(state: ScreenState, columns: number): Row {
  const conversation = currentConversation(state);
  const left: Span[] = [{ text: ` ${calmLine(conversation?.key ?? 'chat')} `, look: 'bar-strong' }];
  if (conversation?.kind === 'room' && conversation.memberCount > 0) {
    const { memberCount } = conversation;
    left.push({ text: `· ${memberCount} ${memberCount === 1 ? 'member' : 'members'} `, look: 'bar' });
  }
  if (conversation?.kind === 'direct') left.push({ text: '· only you two see this ', look: 'bar' });
  return spreadRow(left, [{ text: `${state.me} at ${state.server} `, look: 'bar' }], columns, 'bar');
}

function statusRow(state: ScreenState, columns: number, below: number, layout: Layout, now: number): Row {
  const left: Span[] = [...connectionSpans(state, now)];
  const conversation = currentConversation(state);
  if (conversation?.scroll !== undefined) {
    const { unread } = conversation.snapshot;
    const news = unread > 0 ? `, ${unread} new` : '';
    left.push({ text: `· scrolled back, ${below} below${news} (Esc) `, look: 'bar-strong' });
  }
  if (layout.sideColumns === 0) {
    const news = state.conversations
      .map(({ key, snapshot: { unread }, mentioned }, index) => ({
        text: `${index + 1}:${key}(${unread})`,
        unread,
        mentioned,
      }))
      .filter(({ unread }, index) => unread > 0 && state.conversations[index]?.key !== state.current);
    for (const { text, mentioned } of news) {
      left.push({ text: `· ${calmLine(text)} `, look: mentioned ? 'bar-alert' : 'bar-strong' });
    }
  }
  const typing = typingText(conversation?.typists ?? []);
  if (typing !== '') left.push({ text: `· ${typing} `, look: 'bar' });
  const waiting = state.conversations.reduce((sum, conversation) => sum + conversation.waiting, 0);
  if (waiting > 0 && state.connection.status !== 'open')
    left.push({ text: `· ${waiting} to send `, look: 'bar-strong' });
  // The reason may be long. It comes last, so that it alone is cut.
  const { connection } = state;
  if (connection.status === 'reconnecting')
    left.push({ text: `· ${calmLine(connection.reason)} `, look: 'bar' });
  return spreadRow(left, [{ text: '/help ', look: 'bar' }], columns, 'bar');
}

function connectionSpans({ connection, roundTripMs }: ScreenState, now: number): readonly Span[] {
  switch (connection.status) {
    case 'connecting':
      return [{ text: ' ○ connecting… ', look: 'bar-strong' }];
    case 'open': {
      const latency =
        roundTripMs === undefined ? '' : ` · ${roundTripMs < 1 ? '<1' : Math.round(roundTripMs)} ms`;
      return [{ text: ` ● connected${latency} `, look: 'bar' }];
    }
    case 'reconnecting': {
      const seconds = Math.max(0, Math.ceil((connection.nextAt - now) / 1000));
      const when = seconds === 0 ? 'trying now' : `next try in ${seconds} s (Ctrl-R: now)`;
      return [{ text: ` ○ disconnected · ${when} · attempt ${connection.attempt} `, look: 'bar-alert' }];
    }
    case 'closed':
      return [{ text: ` ○ closed · ${calmLine(connection.reason)} `, look: 'bar-alert' }];
  }
}

function typingText(typists: readonly string[]): string {
  if (typists.length === 0) return '';
  if (typists.length === 1) return `${typists[0]} is writing…`;
  if (typists.length === 2) return `${typists[0]} and ${typists[1]} are writing…`;
  return `${typists.length} are writing…`;
}

function inputRow(state: ScreenState, columns: number): { readonly row: Row; readonly cursor: number } {
  if (state.paste) {
    const { length } = state.paste;
    const question = `Pasted ${length} lines: Enter sends them as one message, L line by line, Esc drops them. `;
    const row = fitRow(
      [
        { text: question, look: 'strong' },
        { text: calmLine(state.paste.join(' ⏎ ')), look: 'dim' },
      ],
      columns,
    );
    return { row, cursor: 0 };
  }
  const prompt = '> ';
  const { text, cursor } = visiblePart(state.input, columns - prompt.length);
  const row = fitRow([{ text: prompt, look: 'strong' }, { text }], columns);
  return { row, cursor: prompt.length + cursor };
}

/** The part of the line around the cursor, and the cell of the cursor in it. */
function visiblePart(
  { text, cursor }: InputLine,
  columns: number,
): { readonly text: string; readonly cursor: number } {
  const before = calmLine(text.slice(0, cursor));
  // A cell stays free for the cursor behind the text, one on each side for the sign that there is more.
  const room = Math.max(1, columns - 3);
  let start = '';
  let width = 0;
  for (const character of graphemes(before.slice(-2 * columns)).reverse()) {
    const cells = cellWidth(character);
    if (width + cells > room) break;
    start = character + start;
    width += cells;
  }
  const cut = start.length < before.length;
  const rest = calmLine(text.slice(cursor, cursor + 2 * columns));
  const lead = cut ? '…' : '';
  return { text: `${lead}${start}${rest}`, cursor: lead.length + width };
}
