import { describe, expect, it } from 'vitest';
import { rowWidth } from '../../../src/screen/rows/row.js';
import type { ScreenEvent, ScreenState } from '../../../src/screen/state/screen-state.js';
import { composeFrame } from '../../../src/screen/view/frame.js';
import { has, NOON, noted, numbered, said, stateAfter, textOf } from '../support/states.js';

const LOBBY: readonly ScreenEvent[] = [
  { type: 'entered', key: 'lobby' },
  { type: 'members', key: 'lobby', names: ['ada', 'bob', 'محمد', '漢字太郎', '👨‍👩‍👧 fam'], count: 5 },
  has('lobby', [said('محمد', 'السلام عليكم'), said('漢字太郎', '漢字'.repeat(60)), noted('x')]),
];

function screen(state: ScreenState, now = NOON): string[] {
  return composeFrame(state, now).rows.map(textOf);
}

function sized(state: ScreenState, columns: number, rows: number): ScreenState {
  return { ...state, size: { columns, rows } };
}

describe('composeFrame', () => {
  it('fills screens of every size exactly, whatever names and texts are in it', () => {
    const state = stateAfter(...LOBBY, {
      type: 'edit',
      edit: { type: 'insert', text: '漢字 مرحبا '.repeat(30) },
    });
    for (const columns of [20, 33, 71, 72, 100, 119, 120, 250]) {
      for (const rows of [6, 7, 24, 60]) {
        const frame = composeFrame(sized(state, columns, rows), NOON);
        expect(frame.rows).toHaveLength(rows);
        for (const row of frame.rows)
          expect(rowWidth(row), `${columns} × ${rows}: ${textOf(row)}`).toBe(columns);
        expect(frame.cursor.column).toBeLessThan(columns);
        expect(frame.cursor.row).toBe(rows - 1);
      }
    }
  });

  it('is no higher than a terminal that is too low, and keeps the input', () => {
    const rows = screen(sized(stateAfter({ type: 'edit', edit: { type: 'insert', text: 'hi' } }), 40, 2));
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(/^> hi +$/);
  });

  it('lists rooms and members at the side where there is room', () => {
    const wide = screen(stateAfter(...LOBBY));
    expect(wide[2]).toMatch(/│ 1 lobby +$/);
    expect(wide.join('\n')).toContain('Members 5');
    expect(wide.join('\n')).toContain('👨 fam');
    expect(screen(sized(stateAfter(...LOBBY), 60, 20)).join('\n')).not.toContain('Members');
  });

  it('counts what is unread: at the side, and in the status line of a narrow screen', () => {
    const state = stateAfter(
      ...LOBBY,
      has('random', [said('bob', 'hi'), said('bob', 'ada: ho')], { unread: 2 }),
    );
    expect(screen(state)[3]).toMatch(/│ 2 random +2!$/);
    expect(screen(sized(state, 60, 10)).at(-2)).toContain('2:random(2)');
  });

  it('counts down to the next attempt', () => {
    const reason = 'connection lost';
    const connection = { status: 'reconnecting', attempt: 3, nextAt: NOON + 4200, reason } as const;
    const state = stateAfter({ type: 'connection', connection });
    expect(screen(state, NOON).at(-2)).toContain(
      'next try in 5 s (Ctrl-R: now) · attempt 3 · connection lost',
    );
    expect(screen(state, NOON + 4000).at(-2)).toContain('next try in 1 s');
    expect(screen(state, NOON + 5000).at(-2)).toContain('trying now');
  });

  it('shows how long the way to the server and back takes', () => {
    expect(screen(stateAfter({ type: 'round-trip', roundTripMs: 12.4 })).at(-2)).toContain(
      '● connected · 12 ms',
    );
    expect(screen(stateAfter({ type: 'round-trip', roundTripMs: 0.3 })).at(-2)).toContain('<1 ms');
  });

  it('tells that the newest is not what is seen', () => {
    const items = numbered(40);
    const state = stateAfter(
      { type: 'entered', key: 'lobby' },
      has('lobby', items),
      { type: 'scroll', by: 'page', direction: -1 },
      has('lobby', [...items, said('bob', 'new')], { unread: 1 }),
    );
    expect(screen(state).at(-2)).toContain('scrolled back, 16 below, 1 new (Esc)');
  });

  it('says who is writing', () => {
    const status = (...names: string[]) =>
      screen(stateAfter(...LOBBY, has('lobby', [], { typists: names.map((name) => ({ id: 1, name })) }))).at(
        -2,
      );
    expect(status('bob')).toContain('bob is writing…');
    expect(status('bob', 'carol')).toContain('bob and carol are writing…');
    expect(status('a', 'b', 'c')).toContain('3 are writing…');
  });

  it('keeps the cursor in sight on a line that is longer than the screen', () => {
    const long = `${'x'.repeat(150)}漢字`;
    const atEnd = stateAfter({ type: 'edit', edit: { type: 'insert', text: long } });
    expect(screen(atEnd).at(-1)).toMatch(/^> …x+漢字 *$/);
    expect(composeFrame(atEnd, NOON).cursor.column).toBeLessThanOrEqual(99);
    const atHome = { ...atEnd, input: { text: long, cursor: 0 } };
    expect(composeFrame(atHome, NOON).cursor.column).toBe(2);
    expect(screen(atHome).at(-1)).toMatch(/^> x+…$/);
  });

  it('asks what to do with several pasted lines', () => {
    const state = stateAfter({ type: 'pasted', text: 'one\ntwo\nthree' });
    expect(screen(state).at(-1)).toContain(
      'Pasted 3 lines: Enter sends them as one message, L line by line, Esc drops',
    );
  });
});
