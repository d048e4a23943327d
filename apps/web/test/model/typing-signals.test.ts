import type { Room } from '@chat/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Typist } from '../../src/model/conversation.js';
import { TypingSignals } from '../../src/model/typing-signals.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function room(): Room & { readonly said: unknown[] } {
  const said: unknown[] = [];
  const signal = (value: unknown): boolean => said.push(value) > 0;
  return { said, signal } as unknown as Room & { readonly said: unknown[] };
}

describe('TypingSignals', () => {
  it('says it at the beginning, now and then, and at the end', () => {
    const signals = new TypingSignals(Date.now, () => {});
    const lobby = room();
    for (let i = 0; i < 70; i++) {
      signals.start(lobby);
      vi.advanceTimersByTime(100);
    }
    signals.stop();
    signals.stop();
    expect(lobby.said).toEqual([{ typing: true }, { typing: true }, { typing: true }, { typing: false }]);
  });

  it('says in one room that it ended when it begins in another one', () => {
    const signals = new TypingSignals(Date.now, () => {});
    const [lobby, garden] = [room(), room()];
    signals.start(lobby);
    signals.start(garden);
    expect([lobby.said, garden.said]).toEqual([[{ typing: true }, { typing: false }], [{ typing: true }]]);
  });

  it('believes others for a while, or until they end', () => {
    const onChange = vi.fn();
    const signals = new TypingSignals(Date.now, onChange);
    const typists = new Map<number, Typist>();
    signals.heard(typists, { id: 1, name: 'Ada' }, { typing: true });
    vi.advanceTimersByTime(4000);
    signals.heard(typists, { id: 2, name: 'Bob' }, { typing: true });
    vi.advanceTimersByTime(2500);
    expect([...typists.keys()]).toEqual([2]);
    signals.heard(typists, { id: 2, name: 'Bob' }, { typing: false });
    expect(typists.size).toBe(0);
    vi.runAllTimers();
    expect(onChange.mock.calls.length).toBeGreaterThanOrEqual(4);
  });

  it('ignores what it does not understand, and keeps no crowd', () => {
    const signals = new TypingSignals(Date.now, () => {});
    const typists = new Map<number, Typist>();
    for (const value of [undefined, null, 1, 'typing', {}, { typing: 'yes' }, []]) {
      signals.heard(typists, { id: 1, name: 'Ada' }, value);
    }
    expect(typists.size).toBe(0);
    for (let id = 0; id < 1000; id++) signals.heard(typists, { id, name: `${id}` }, { typing: true });
    expect(typists.size).toBe(50);
  });
});
