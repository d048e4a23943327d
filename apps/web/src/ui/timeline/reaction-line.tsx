/** The emoji below a message, each with how many have chosen it; choosing one adds the own one, or takes it back. */
import type { MessageItem } from '@chat/client/timeline';
import type { Member } from '@chat/protocol';
import type { VNode } from 'preact';

interface ReactionLineProps {
  readonly reactions: NonNullable<MessageItem['reactions']>;
  readonly isMine: (by: readonly Member[]) => boolean;
  readonly onChoose: (reaction: string) => void;
}

export function ReactionLine({ reactions, isMine, onChoose }: ReactionLineProps): VNode {
  return (
    <div class="reactions">
      {reactions.map(({ reaction, by }) => {
        const names = by.map(({ name }) => name);
        const who = `${reaction} ${names.join(', ')}`;
        return (
          <button
            type="button"
            class="reaction"
            key={reaction}
            title={who}
            aria-label={who}
            aria-pressed={isMine(by)}
            onClick={() => onChoose(reaction)}
          >
            {reaction} {by.length}
          </button>
        );
      })}
    </div>
  );
}
