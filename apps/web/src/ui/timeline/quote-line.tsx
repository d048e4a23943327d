/** The message that another one answers, as one line; choosing it jumps there. */
import type { VNode } from 'preact';
import type { Quote } from '../../model/rows.js';
import { calmText } from '../../text/calm-text.js';
import { Icon } from '../marks/icon.js';

interface QuoteLineProps {
  readonly quote: Quote;
  readonly ownName: string;
  readonly onJump: (seq: number) => void;
}

const QUOTED = 160;

export function QuoteLine({ quote: { seq, item }, ownName, onJump }: QuoteLineProps): VNode {
  return (
    <button type="button" class="quote" onClick={() => onJump(seq)}>
      <Icon name="answer" />
      <span class="unseen">In answer to </span>
      {item ? <bdi class="quoted-name">{item.sender.name || ownName}</bdi> : 'an earlier message'}
      {item?.kind === 'withdrawn' && <em>taken back</em>}
      {item?.kind === 'message' && (
        <span class="quoted" dir="auto">
          {oneLine(item.value)}
        </span>
      )}
    </button>
  );
}

/** The beginning of a text, in one line. */
export function oneLine(text: string): string {
  return calmText(text.slice(0, QUOTED)).replace(/\s+/g, ' ');
}
