import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Segment } from '../../src/segment/segment.js';
import { PeerWatch } from '../../src/waiting/peer-watch.js';
import type { Waiting } from '../../src/waiting/waiting.js';

const TOKEN = 7;
const BELL = 42;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A peer that is attached at time 1000. */
function attached(isWatched: boolean) {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
  const isDead = vi.fn(() => false);
  const words = Int32Array.of(0, 0);
  const segment = { words, participants: { isDead, describe: () => ({ pid: 1 }), slotOf: () => 0 } };
  const waiting = { isWatched: () => isWatched, watch: () => BELL, forget: () => {} };
  const watch = new PeerWatch(segment as unknown as Segment, {
    sideWord: 0,
    farewellWord: 1,
    waiting: waiting as unknown as Waiting,
    onChange: () => {},
  });
  words[0] = TOKEN;
  watch.check();
  isDead.mockClear();
  return { now, isDead, watch };
}

describe('PeerWatch', () => {
  it('asks the kernel for a peer now and then while no connection tells of its end', () => {
    const { now, isDead, watch } = attached(false);
    watch.check();
    expect(isDead).not.toHaveBeenCalled();
    now.mockReturnValue(1400);
    watch.check();
    expect(isDead).toHaveBeenCalledOnce();
  });

  it('asks for nothing while a connection would, and at once when it closes', () => {
    const { now, isDead, watch } = attached(true);
    now.mockReturnValue(1_000_000);
    watch.check();
    expect(isDead).not.toHaveBeenCalled();
    isDead.mockReturnValue(true);
    watch.check(BELL);
    expect(watch.state).toEqual({ state: 'died', pid: 1 });
  });
});
