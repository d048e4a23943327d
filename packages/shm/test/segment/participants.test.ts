import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { load, store } from '../../src/platform/atomics.js';
import { ByteLock } from '../../src/platform/byte-lock.js';
import { currentIdentity, type Identity } from '../../src/platform/liveness.js';
import {
  HEADER_BYTES,
  PARTICIPANT_COUNT_WORD,
  SLOT_BYTES,
  SLOT_GENERATION,
  SLOT_READY,
  SLOT_TOKEN,
  slotWord,
} from '../../src/segment/layout.js';
import { claimRole, ParticipantTable, Role, releaseRole, slotBits } from '../../src/segment/participants.js';
import { deadIdentity, joinDead } from '../support/dead.js';
import { usePlace } from '../support/place.js';

const self = currentIdentity();
const COUNT = 4;
const ROLE_WORD = 0;

const place = usePlace();

/** A table in memory, and a file on whose bytes its participants live. */
function makeWords(count = COUNT): Int32Array {
  const words = new Int32Array((HEADER_BYTES + count * SLOT_BYTES) / 4);
  words[PARTICIPANT_COUNT_WORD] = count;
  return words;
}

/** An opening of the file, as each handle has its own. */
function lives(): ByteLock {
  const path = join(place.directory, 'lives');
  writeFileSync(path, '', { flag: 'a' });
  const fd = openSync(path, 'r+');
  try {
    return new ByteLock(fd, path);
  } finally {
    closeSync(fd);
  }
}

function tableOf(words: Int32Array, identity: Identity = self): ParticipantTable {
  return new ParticipantTable({
    words,
    count: words[PARTICIPANT_COUNT_WORD] ?? 0,
    lives: lives(),
    self: identity,
  });
}

describe('ParticipantTable', () => {
  it('lists who has joined and not left', () => {
    const words = makeWords();
    const first = tableOf(words).join(Role.Writer);
    const second = tableOf(words).join();
    const onlooker = tableOf(words);
    expect(onlooker.list()).toMatchObject([
      { slot: 0, token: first.token, role: 'writer', pid: process.pid, liveness: 'alive', identity: self },
      { slot: 1, token: second.token, role: 'user', pid: process.pid, liveness: 'alive', identity: self },
    ]);
    first.leave();
    first.leave();
    expect(onlooker.list()).toHaveLength(1);
    second.leave();
    expect(onlooker.list()).toEqual([]);
  });

  it('refuses one more than it has slots, and names the limit', () => {
    const words = makeWords();
    for (let i = 0; i < COUNT; i++) tableOf(words).join();
    const late = tableOf(words);
    expect(() => late.join()).toThrow(expect.objectContaining({ code: 'ERR_SHM_PARTICIPANTS_FULL' }));
    expect(() => late.join()).toThrow(/all 4 participant slots/);
  });

  it('gives the slots of the dead to newcomers', () => {
    const words = makeWords();
    for (let i = 0; i < COUNT; i++) joinDead(words);
    const table = tableOf(words);
    expect(table.join().slot).toBe(0);
    expect(table.list()).toHaveLength(1);
  });

  it('knows the dead by the lock, whatever the numbers say of them', () => {
    const words = makeWords();
    const alive = tableOf(words, deadIdentity()).join();
    const dead = joinDead(words, self);
    const table = tableOf(words);
    expect([alive, dead].map(({ token }) => table.isDead(token))).toEqual([false, true]);
    expect(table.list()).toMatchObject([{ liveness: 'alive' }, { liveness: 'dead' }]);
  });

  it('takes nobody for another who had the slot before or after', () => {
    const words = makeWords();
    const table = tableOf(words);
    const old = tableOf(words).join();
    old.leave();
    expect(table.isDead(old.token)).toBe(true);
    const young = tableOf(words).join();
    expect(young.slot).toBe(old.slot);
    expect(young.token).not.toBe(old.token);
    expect([old, young].map(({ token }) => table.isDead(token))).toEqual([true, false]);
    old.leave();
    expect(table.isDead(young.token)).toBe(false);
  });

  it('still describes the dead after their slot was given up, until it is claimed anew', () => {
    const words = makeWords();
    const dead = joinDead(words);
    const table = tableOf(words);
    expect(table.describe(dead.token)).toMatchObject({ pid: deadIdentity().pid, liveness: 'dead' });
    expect(table.reclaimDead()).toBe(1);
    expect(table.reclaimDead()).toBe(0);
    expect(table.describe(dead.token)).toMatchObject({ pid: deadIdentity().pid, liveness: 'dead' });
    table.join();
    expect(table.describe(dead.token)).toBeUndefined();
  });

  it('does not believe the numbers of a predecessor while a newcomer has not written its own', () => {
    const words = makeWords();
    const dead = joinDead(words);
    const base = slotWord(dead.slot);
    const table = tableOf(words);
    const [lock, token] = [lives(), (2 << slotBits(COUNT)) | dead.slot];
    lock.take(token);
    store(words, base + SLOT_TOKEN, token);
    expect(table.list()).toMatchObject([{ token, pid: 0, identity: undefined, liveness: 'alive' }]);
    expect(table.tokenAt(dead.slot)).toBe(0);
    expect(table.reclaimDead()).toBe(0);
    expect(load(words, base + SLOT_READY)).toBe(dead.token);
    lock.close();
    expect(table.reclaimDead()).toBe(1);
  });

  it('a reclaimer that stood still for any number of lives frees nobody else', () => {
    const words = makeWords();
    const dead = joinDead(words);
    let stopped = false;
    const slow = lives();
    const reclaimer = new ParticipantTable({
      words,
      count: COUNT,
      self,
      lives: {
        isTaken(token) {
          const taken = slow.isTaken(token);
          // Between the proof and the swap, others come and go, and one stays.
          if (!stopped) {
            stopped = true;
            const others = tableOf(words);
            for (let i = 0; i < 2000; i++) others.join().leave();
            others.join();
          }
          return taken;
        },
      },
    });
    reclaimer.reclaimDead();
    expect(tableOf(words).list()).toMatchObject([{ slot: dead.slot, liveness: 'alive' }]);
  });

  it('never gives a token twice: a slot is worn out before', () => {
    const words = makeWords(2);
    const bits = slotBits(2);
    store(words, slotWord(0) + SLOT_GENERATION, 2 ** (31 - bits) - 2);
    const table = tableOf(words);
    const last = table.join();
    expect(last).toMatchObject({ slot: 0, token: 2 ** 31 - 2 });
    last.leave();
    const other = table.join();
    expect(other.slot).toBe(1);
    other.leave();
    store(words, slotWord(1) + SLOT_GENERATION, -1);
    expect(() => table.join()).toThrow(/2 of them have had as many lives as they can number/);
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [64, 6],
    [65, 7],
    [254, 8],
  ])('numbers %i slots with %i bits, so that the other bits number about 2^31 lives', (count, bits) => {
    expect(slotBits(count)).toBe(bits);
    const words = makeWords(count);
    const table = tableOf(words);
    const joined = Array.from({ length: count }, () => table.join());
    expect(joined.map(({ token }) => table.slotOf(token))).toEqual(joined.map((_, slot) => slot));
  });

  it('survives tokens that nobody ever had', () => {
    const table = tableOf(makeWords());
    for (const token of [0, -1, -(2 ** 31), 0xff, 2 ** 31 - 1]) {
      expect(table.livenessOf(token)).toBe('dead');
      expect(table.describe(token)).toBeUndefined();
    }
  });

  it('does not say "dead" where nobody can ask the kernel', () => {
    const words = makeWords();
    joinDead(words);
    const asked = { words, count: COUNT, self, lives: { isTaken: () => undefined } };
    expect(new ParticipantTable(asked).list()).toMatchObject([{ liveness: 'unknown' }]);
  });
});

describe('claimRole', () => {
  it('refuses a second while the first lives, and names it', () => {
    const words = makeWords();
    const [table, other] = [tableOf(words), tableOf(words)];
    const [first, second] = [table.join(), other.join()];
    expect(claimRole(words, ROLE_WORD, first, table, 'writer')).toBe(0);
    expect(claimRole(words, ROLE_WORD, first, table, 'writer')).toBe(0);
    expect(() => claimRole(words, ROLE_WORD, second, other, 'writer')).toThrow(
      `the writer is process ${process.pid}, which is alive`,
    );
    releaseRole(words, ROLE_WORD, second);
    expect(load(words, ROLE_WORD)).toBe(first.token);
    releaseRole(words, ROLE_WORD, first);
    expect(claimRole(words, ROLE_WORD, second, other, 'writer')).toBe(0);
  });

  it('replaces a dead holder and says which', () => {
    const words = makeWords();
    const dead = joinDead(words);
    const table = tableOf(words);
    const me = table.join();
    store(words, ROLE_WORD, dead.token);
    expect(claimRole(words, ROLE_WORD, me, table, 'writer')).toBe(dead.token);
    expect(load(words, ROLE_WORD)).toBe(me.token);
  });
});
