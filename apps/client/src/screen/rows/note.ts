/**
 * Notes: lines of this program itself, in the words of the plain front end. Some tell what the session told,
 * some stand for entries that are no messages. They are calm.
 */
import type { SessionEvent } from '../../session/session.js';
import { formatEvent } from '../../text/format.js';
import { plainPalette } from '../../text/palette.js';
import { calmLine } from './cell-text.js';

/** Something that happened, or that this program says. */
export interface Note {
  readonly tone: 'notice' | 'problem' | 'gap' | 'answer';
  readonly lines: readonly string[];
}

/** Everything that is not a message, as a note; undefined when there is nothing to say. */
export function noteOf(event: SessionEvent, now: number): Note | undefined {
  // The room that it is about is the one in which it is shown.
  const room = event.type === 'notice' ? event.notice.room : undefined;
  const lines = formatEvent(event, {
    palette: plainPalette,
    times: false,
    currentRoom: () => room,
    now: () => now,
  }).map((line) => calmLine(line.replace(/^(\*\*\*|!!!) /, '')));
  return lines.length === 0 ? undefined : { tone: toneOf(event), lines };
}

function toneOf(event: SessionEvent): Note['tone'] {
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

/** A text of this program as a note. */
export function note(text: string, tone: Note['tone'] = 'answer'): Note {
  return { tone, lines: text.split('\n').map(calmLine) };
}
