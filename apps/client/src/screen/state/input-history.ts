/**
 * Lines that were sent, for the arrow keys. The line that was being typed is kept, and found again below the
 * newest.
 */

/** Immutable. */
export interface InputHistory {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Which line is shown; `lines.length` is the one that is being typed. */
  readonly at: number;
  /** The line that was being typed. */
  readonly draft: string;
}

export const EMPTY_HISTORY: InputHistory = { lines: [], at: 0, draft: '' };

const MAX_LINES = 500;

/** Adds a line that was sent, and goes to the end. */
export function remember(history: InputHistory, line: string): InputHistory {
  const lines = history.lines.at(-1) === line ? history.lines : [...history.lines, line].slice(-MAX_LINES);
  return { lines, at: lines.length, draft: '' };
}

/**
 * Goes one line back or forth.
 *
 * @param text - what stands in the input now
 * @returns undefined at either end
 */
export function recall(
  history: InputHistory,
  direction: -1 | 1,
  text: string,
): { readonly history: InputHistory; readonly text: string } | undefined {
  const at = history.at + direction;
  if (at < 0 || at > history.lines.length) return undefined;
  const draft = history.at === history.lines.length ? text : history.draft;
  return { history: { ...history, at, draft }, text: history.lines[at] ?? draft };
}
