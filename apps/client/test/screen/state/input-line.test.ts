import { describe, expect, it } from 'vitest';
import { EMPTY_HISTORY, recall, remember } from '../../../src/screen/state/input-history.js';
import {
  type Edit,
  EMPTY_LINE,
  editLine,
  type InputLine,
  MAX_INPUT_LENGTH,
} from '../../../src/screen/state/input-line.js';

/** A line with `|` for the cursor, after edits, in the same form. */
function after(line: string, ...edits: readonly Edit['type'][]): string {
  let state: InputLine = { text: line.replace('|', ''), cursor: line.indexOf('|') };
  for (const type of edits) state = editLine(state, { type } as Edit);
  return `${state.text.slice(0, state.cursor)}|${state.text.slice(state.cursor)}`;
}

describe('editLine', () => {
  it('inserts at the cursor', () => {
    const typed = editLine({ text: 'hllo', cursor: 1 }, { type: 'insert', text: 'e' });
    expect(typed).toEqual({ text: 'hello', cursor: 2 });
  });

  it('moves and deletes whole characters as the user sees them', () => {
    expect(after('a👨‍👩‍👧|b', 'left')).toBe('a|👨‍👩‍👧b');
    expect(after('a|👨‍👩‍👧b', 'right')).toBe('a👨‍👩‍👧|b');
    expect(after('ae\u0301|', 'delete-left')).toBe('a|');
    expect(after('|🇩🇪x', 'delete-right')).toBe('|x');
  });

  it('moves and deletes by word', () => {
    expect(after('one two  |', 'word-left')).toBe('one |two  ');
    expect(after('one| two three', 'word-right')).toBe('one two| three');
    expect(after('one two|', 'delete-word-left')).toBe('one |');
    expect(after('|one two', 'delete-word-right')).toBe('| two');
  });

  it('goes and deletes to either end', () => {
    expect(after('one| two', 'home')).toBe('|one two');
    expect(after('one| two', 'end')).toBe('one two|');
    expect(after('one| two', 'delete-to-home')).toBe('| two');
    expect(after('one| two', 'delete-to-end')).toBe('one|');
  });

  it('stays where it is at an end', () => {
    expect(after('|a', 'left', 'delete-left')).toBe('|a');
    expect(after('a|', 'right', 'delete-right')).toBe('a|');
  });

  it('takes no more than it may', () => {
    const full = editLine(EMPTY_LINE, { type: 'insert', text: 'x'.repeat(MAX_INPUT_LENGTH + 9) });
    expect(full.text).toHaveLength(MAX_INPUT_LENGTH);
  });
});

describe('recall', () => {
  const history = remember(remember(EMPTY_HISTORY, 'one'), 'two');

  it('goes back, and forth to what was being typed', () => {
    const back = recall(history, -1, 'draft')!;
    expect(back.text).toBe('two');
    const further = recall(back.history, -1, 'two')!;
    expect(further.text).toBe('one');
    expect(recall(further.history, -1, 'one')).toBeUndefined();
    const forth = recall(recall(further.history, 1, 'one')!.history, 1, 'two')!;
    expect(forth.text).toBe('draft');
    expect(recall(forth.history, 1, 'draft')).toBeUndefined();
  });

  it('remembers a line once when it is sent twice', () => {
    expect(remember(history, 'two').lines).toEqual(['one', 'two']);
  });

  it('forgets the oldest of very many', () => {
    let long = EMPTY_HISTORY;
    for (let line = 0; line < 600; line++) long = remember(long, String(line));
    expect(long.lines).toHaveLength(500);
    expect(long.lines[0]).toBe('100');
  });
});
