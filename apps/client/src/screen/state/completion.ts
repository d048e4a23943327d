/**
 * Completes the word before the cursor to a command, a room or a name; Tab again takes the next one.
 */
import { completionsFor, type Vocabulary } from '@chat/client/timeline';
import type { InputLine } from './input-line.js';

/** A completion that goes on while Tab is pressed. Immutable. */
export interface Completion {
  /** Index of the first character of the word. */
  readonly start: number;
  readonly candidates: readonly string[];
  readonly index: number;
  /** Text behind the cursor. */
  readonly rest: string;
}

/** Begins to complete at the cursor. @returns undefined when nothing fits */
export function beginCompletion(
  { text, cursor }: InputLine,
  vocabulary: Vocabulary,
  direction: -1 | 1,
): Completion | undefined {
  const before = text.slice(0, cursor);
  const start = /\S*$/u.exec(before)!.index;
  const word = before.slice(start);
  const candidates = completionsFor(before.slice(0, start), word, vocabulary);
  if (candidates.length === 0) return undefined;
  const rest = text.slice(cursor).replace(/^ /, '');
  return { start, candidates, index: direction === 1 ? 0 : candidates.length - 1, rest };
}

/** The next candidate, or the one before. */
export function stepCompletion(completion: Completion, direction: -1 | 1): Completion {
  const { candidates, index } = completion;
  return { ...completion, index: (index + direction + candidates.length) % candidates.length };
}

/** The line with the candidate in it. */
export function completedLine(
  { text }: InputLine,
  { start, candidates, index, rest }: Completion,
): InputLine {
  const head = `${text.slice(0, start)}${candidates[index]!}`;
  return { text: head + rest, cursor: head.length };
}
