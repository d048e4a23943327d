import { describe, expect, it } from 'vitest';
import { Bell, type NotifyWay } from '../../src/text/bell.js';

/** A bell, a clock, and what was written. */
function bellOf(way: NotifyWay) {
  const world = { now: 0, written: [] as string[] };
  const bell = new Bell(
    way,
    () => world.now,
    (text) => world.written.push(text),
  );
  const hear = (value: string, changes: { own?: boolean; history?: boolean; isDirect?: boolean } = {}) => {
    const { isDirect = false, ...more } = changes;
    bell.hear(
      { sender: { id: 2, name: 'bob' }, value, own: false, history: false, ...more },
      'ada',
      isDirect,
    );
  };
  return { world, hear };
}

describe('Bell', () => {
  it('rings for what speaks of the user, or to the user alone', () => {
    const { world, hear } = bellOf('bell');
    hear('hello everybody');
    hear('@ada', { own: true });
    hear('@ada', { history: true });
    expect(world.written).toEqual([]);
    hear('and you, @Ada?');
    world.now += 2000;
    hear('psst', { isDirect: true });
    expect(world.written).toEqual(['\u0007', '\u0007']);
  });

  it('rings once for a flood', () => {
    const { world, hear } = bellOf('bell');
    for (world.now = 0; world.now < 4000; world.now += 10) hear('ada ada ada');
    expect(world.written).toHaveLength(2);
  });

  it('shows a notification of the desktop that obeys nobody', () => {
    const { world, hear } = bellOf('desktop');
    hear(`ada:\u001B]0;title\u0007\u009C\n${'x'.repeat(500)}`);
    const [text = ''] = world.written;
    expect(text.startsWith('\u001B]9;chat: bob: ada:')).toBe(true);
    expect(text.slice(4, -1)).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
    expect(text.length).toBeLessThan(200);
  });

  it('does nothing where it is off', () => {
    const { world, hear } = bellOf('off');
    hear('ada!');
    expect(world.written).toEqual([]);
  });
});
