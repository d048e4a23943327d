/**
 * The words of others. They become text nodes and links and never anything else; each paragraph finds its own
 * direction, and what is very long is cut until asked for.
 */
import { mentionsIn } from '@chat/client/timeline';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { calmText, excerpt, isOnlyEmoji } from '../../text/calm-text.js';
import { splitLinks } from '../../text/links.js';

interface MessageTextProps {
  readonly text: string;
  /** Name of the reader, which is marked; none in own words. */
  readonly reader: string;
}

export function MessageText({ text, reader }: MessageTextProps): VNode {
  const [whole, setWhole] = useState(false);
  const calm = calmText(text);
  const beginning = whole ? undefined : excerpt(calm);
  return (
    <>
      <div
        class={beginning !== undefined ? 'text cut' : isOnlyEmoji(calm) ? 'text emoji' : 'text'}
        dir="auto"
      >
        {splitLinks(beginning ?? calm).map((part) =>
          part.kind === 'link' ? (
            <a href={part.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
              {part.text}
            </a>
          ) : (
            markMentions(part.text, reader)
          ),
        )}
        {beginning !== undefined && '…'}
      </div>
      {beginning !== undefined && (
        <div class="more">
          <button type="button" class="quiet" onClick={() => setWhole(true)}>
            Show all {calm.length.toLocaleString()} characters
          </button>
        </div>
      )}
    </>
  );
}

function markMentions(text: string, reader: string): (string | VNode)[] {
  const pieces: (string | VNode)[] = [];
  let end = 0;
  for (const [from, to] of mentionsIn(text, reader)) {
    pieces.push(text.slice(end, from), <mark class="mention">{text.slice(from, to)}</mark>);
    end = to;
  }
  return [...pieces, text.slice(end)];
}
