/**
 * The list at the side: conversations with what is unread in them, and who is in the present one.
 */
import { calmLine, cellWidth, truncate } from '../rows/cell-text.js';
import { fitRow, type Look, type Row } from '../rows/row.js';
import type { Conversation } from '../state/conversation.js';

/** Content of the list. */
export interface SideContent {
  readonly conversations: readonly Conversation[];
  readonly current: string | undefined;
  readonly me: string;
}

/** Exactly `rows` rows of `columns` cells. */
export function sidePane({ conversations, current, me }: SideContent, columns: number, rows: number): Row[] {
  const present = conversations.find(({ key }) => key === current);
  const all: Row[] = [[{ text: 'Rooms', look: 'dim' }]];
  const maxListed = Math.max(1, Math.floor(rows / 2) - 1);
  const at = conversations.findIndex(({ key }) => key === current);
  const from = Math.max(0, Math.min(at - Math.floor(maxListed / 2), conversations.length - maxListed));
  for (const [index, conversation] of conversations.slice(from, from + maxListed).entries()) {
    all.push(conversationRow(conversation, from + index, conversation === present, columns));
  }
  if (conversations.length > maxListed) {
    const more = conversations.length - maxListed;
    all.push([{ text: `  … ${more} more`, look: 'dim' }]);
  }
  if (present?.kind === 'room') {
    all.push([{ text: '' }], [{ text: `Members ${present.memberCount}`, look: 'dim' }]);
    const room = rows - all.length;
    const fits = present.members.length <= room && present.memberCount <= present.members.length;
    for (const name of present.members.slice(0, fits ? room : Math.max(0, room - 1))) {
      all.push([{ text: ' ' }, { text: name, person: name, look: name === me ? 'strong' : 'plain' }]);
    }
    const hidden = present.memberCount - Math.max(0, room - 1);
    if (!fits && room > 0 && hidden > 0) all.push([{ text: ` … ${hidden} more`, look: 'dim' }]);
  }
  while (all.length < rows) all.push([]);
  return all.slice(0, rows).map((row) => fitRow(row, columns));
}

function conversationRow(
  conversation: Conversation,
  index: number,
  isCurrent: boolean,
  columns: number,
): Row {
  const { key, mentioned, waiting } = conversation;
  const { unread } = conversation.snapshot;
  const number = index < 9 ? String(index + 1) : ' ';
  const count =
    unread > 0 ? `${unread > 999 ? '999+' : unread}${mentioned ? '!' : ''}` : waiting > 0 ? '…' : '';
  const name = truncate(calmLine(key), columns - 2 - (count === '' ? 0 : cellWidth(count) + 1));
  const look: Look = isCurrent ? 'selected' : mentioned ? 'alert' : unread > 0 ? 'strong' : 'plain';
  const gap = ' '.repeat(Math.max(0, columns - 2 - cellWidth(name) - cellWidth(count)));
  const numberLook: Look = isCurrent ? 'selected' : 'dim';
  return [
    { text: `${number} `, look: numberLook },
    { text: name, look },
    { text: `${gap}${count}`, look },
  ];
}
