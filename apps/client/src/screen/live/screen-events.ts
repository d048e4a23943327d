/**
 * What the session tells, as entries of a conversation. Words of this program are those of the plain front end.
 */
import { ACTION_PREFIX } from '../../session/command.js';
import type { SessionEvent } from '../../session/session.js';
import { formatEvent } from '../../text/format.js';
import { plainPalette } from '../../text/palette.js';
import { calmLine } from '../rows/cell-text.js';
import { type Item, type NoteItem, type SpokenItem, spokenItem } from '../state/conversation.js';

/** A message of a room or of one user, as an entry. */
export function spokenOf(
  {
    at,
    sender,
    value,
    own,
  }: {
    readonly at: number;
    readonly sender: { readonly name: string };
    readonly value: string;
    readonly own: boolean;
  },
  me: string,
): SpokenItem {
  const action = value.startsWith(ACTION_PREFIX);
  const text = action ? value.slice(ACTION_PREFIX.length) : value;
  return spokenItem({ at, name: sender.name, own, text }, { action, me });
}

/** Everything that is not a message, as an entry; undefined when there is nothing to say. */
export function noteOf(event: SessionEvent, now: number): NoteItem | undefined {
  // The room that it is about is the one in which it is shown.
  const room = event.type === 'notice' ? event.notice.room : undefined;
  const lines = formatEvent(event, {
    palette: plainPalette,
    times: false,
    currentRoom: () => room,
    now: () => now,
  }).map((line) => calmLine(line.replace(/^(\*\*\*|!!!) /, '')));
  if (lines.length === 0) return undefined;
  const at = event.type === 'notice' ? event.notice.at : now;
  return { type: 'note', at, tone: toneOf(event), lines };
}

function toneOf(event: SessionEvent): NoteItem['tone'] {
  switch (event.type) {
    case 'gap':
      return 'gap';
    case 'failed':
    case 'invalid':
      return 'problem';
    case 'room-left':
      return event.error ? 'problem' : 'notice';
    case 'state':
      return event.state.status === 'open' ? 'notice' : 'problem';
    case 'notice':
    case 'renamed':
    case 'unreadable':
      return 'notice';
    default:
      return 'answer';
  }
}

/** Lines of this program itself. */
export function note(text: string, at: number, tone: NoteItem['tone'] = 'answer'): Item {
  return { type: 'note', at, tone, lines: text.split('\n').map(calmLine) };
}
