/**
 * The words of others. They become text nodes and links and never anything else; each paragraph finds its own
 * direction, and what is very long is cut until asked for.
 */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { calmText, excerpt, isOnlyEmoji } from '../../text/calm-text.js';
import { splitLinks } from '../../text/links.js';

export function MessageText({ text }: { readonly text: string }): VNode {
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
            part.text
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
