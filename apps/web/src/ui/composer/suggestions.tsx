/** What a line that begins with a slash may become: a list above the field, through which the arrow keys go. */
import { COMMANDS, completionsFor, type Vocabulary } from '@chat/client/timeline';
import type { VNode } from 'preact';

/** Words that may stand in the place of the one before the cursor. */
export interface Completable {
  /** Where that word begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
  /** Index of the word that Enter takes; -1 where Enter sends. */
  readonly first: number;
}

const SHOWN = 8;

/** @returns undefined where there is nothing to complete, or nothing more */
export function completableAt(text: string, cursor: number, vocabulary: Vocabulary): Completable | undefined {
  if (!text.startsWith('/') || text.startsWith('//')) return undefined;
  const before = text.slice(0, cursor);
  const start = /\S*$/u.exec(before)?.index ?? 0;
  const word = before.slice(start);
  const words = completionsFor(before.slice(0, start), word, vocabulary).slice(0, SHOWN);
  if (words.length === 0 || (words.length === 1 && words[0]?.trimEnd() === word)) return undefined;
  const isExact = words.some((one) => one.trimEnd() === word);
  return { start, end: cursor, words, first: start === 0 && !isExact ? 0 : -1 };
}

interface SuggestionsProps {
  readonly words: readonly string[];
  readonly chosen: number;
  readonly onPick: (index: number) => void;
}

/** Id of an option, for the field that points at it. */
export const optionId = (index: number): string => `suggestion-${index}`;

export function Suggestions({ words, chosen, onPick }: SuggestionsProps): VNode {
  return (
    <div class="suggestions" role="listbox" id="suggestions" aria-label="Suggestions">
      {words.map((word, index) => {
        const help = COMMANDS.get(word.trim().replace(/^\//, ''));
        return (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, which points at it
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={word}
            id={optionId(index)}
            role="option"
            aria-selected={index === chosen}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onPick(index)}
          >
            <bdi>{word.startsWith('/') && help ? help.usage : word}</bdi>
            {word.startsWith('/') && <small>{help?.summary}</small>}
          </div>
        );
      })}
    </div>
  );
}
