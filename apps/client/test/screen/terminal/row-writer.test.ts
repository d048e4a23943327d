import { describe, expect, it } from 'vitest';
import { FrameClock } from '../../../src/screen/live/frame-clock.js';
import { Typists } from '../../../src/screen/live/typing.js';
import { RowWriter } from '../../../src/screen/terminal/row-writer.js';
import { ManualClock } from '../support/manual-clock.js';

describe('RowWriter', () => {
  const CURSOR = { column: 2, row: 1 };

  function writer(): { readonly writes: string[]; readonly writer: RowWriter } {
    const writes: string[] = [];
    return { writes, writer: new RowWriter((text) => writes.push(text)) };
  }

  it('writes the rows that changed, each at its place, in one write', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one', 'two', 'three'], CURSOR);
    rows.draw(['one', 'TWO', 'three'], CURSOR);
    expect(writes).toHaveLength(2);
    expect(writes[1]).toContain('\u001B[2;1H\u001B[2KTWO\u001B[2;3H');
    expect(writes[1]).not.toContain('one');
  });

  it('writes nothing for what is there, and little for a cursor that moved', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one'], CURSOR);
    rows.draw(['one'], CURSOR);
    expect(writes).toHaveLength(1);
    rows.draw(['one'], { column: 5, row: 0 });
    expect(writes[1]).not.toContain('one');
    expect(writes[1]).toContain('\u001B[1;6H');
  });

  it('erases rows that are gone', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one', 'two'], CURSOR);
    rows.draw(['one'], CURSOR);
    expect(writes[1]).toContain('\u001B[2;1H\u001B[2K\u001B');
  });
});

describe('FrameClock', () => {
  it('draws the first change at once and a flood at its pace', () => {
    const clock = new ManualClock();
    let frames = 0;
    const frameClock = new FrameClock(clock, () => frames++);
    frameClock.request();
    clock.advance(0);
    expect(frames).toBe(1);
    for (let ms = 0; ms < 1000; ms++) {
      frameClock.request();
      clock.advance(1);
    }
    expect(frames).toBeLessThan(17);
    expect(frames).toBeGreaterThan(13);
  });

  it('has no timer while nothing changes', () => {
    const clock = new ManualClock();
    const frameClock = new FrameClock(clock, () => {});
    frameClock.request();
    clock.advance(1000);
    expect(clock.timers).toBe(0);
  });

  it('draws no more when it was stopped, whatever changes', () => {
    const clock = new ManualClock();
    let frames = 0;
    const frameClock = new FrameClock(clock, () => frames++);
    frameClock.request();
    frameClock.stop();
    frameClock.request();
    frameClock.flush();
    clock.advance(1000);
    expect(frames).toBe(0);
  });
});

describe('Typists', () => {
  it('believes for a while that somebody writes, until he speaks or stops', () => {
    const typists = new Typists();
    expect(typists.heard('bob', { typing: true }, 0)).toBe(true);
    expect(typists.heard('bob', { typing: true }, 3000)).toBe(false);
    expect(typists.expire(6000)).toBe(false);
    expect(typists.expire(9000)).toBe(true);
    expect(typists.names).toEqual([]);
    typists.heard('bob', { typing: true }, 0);
    expect(typists.heard('bob', { typing: false }, 1)).toBe(true);
    typists.heard('bob', { typing: true }, 0);
    expect(typists.spoke('bob')).toBe(true);
  });

  it('ignores what it does not understand', () => {
    const typists = new Typists();
    for (const value of [undefined, null, 'typing', 1, {}])
      expect(typists.heard('bob', value, 0)).toBe(false);
  });
});
