import { describe, expect, it } from 'vitest';
import { load, store } from '../../src/platform/atomics.js';
import { currentIdentity } from '../../src/platform/liveness.js';
import {
  CREATOR_NAMESPACE_WORD,
  HEADER_BYTES,
  PARTICIPANT_COUNT_WORD,
  SLOT_BYTES,
  SLOT_CLAIM,
  SLOT_GENERATION,
  SLOT_READY,
  slotWord,
} from '../../src/segment/layout.js';
import { claimRole, ParticipantTable, Role, releaseRole } from '../../src/segment/participants.js';
import { deadIdentity } from '../support/dead.js';

const self = currentIdentity();
const COUNT = 4;
const ROLE_WORD = 0;

function makeWords(): Int32Array {
  const words = new Int32Array((HEADER_BYTES + COUNT * SLOT_BYTES) / 4);
  words[PARTICIPANT_COUNT_WORD] = COUNT;
  words[CREATOR_NAMESPACE_WORD] = self.namespace;
  return words;
}

describe.skipIf(process.platform !== 'linux')('ParticipantTable', () => {
  it('lists who has joined and not left', () => {
    const table = new ParticipantTable(makeWords(), self);
    const first = table.join(Role.Writer);
    const second = table.join();
    expect(table.list()).toMatchObject([
      { slot: 0, generation: 1, role: Role.Writer, pid: process.pid, liveness: 'alive', identity: self },
      { slot: 1, generation: 1, role: Role.User, pid: process.pid, liveness: 'alive', identity: self },
    ]);
    first.leave();
    first.leave();
    expect(table.list()).toHaveLength(1);
    second.leave();
    expect(table.list()).toEqual([]);
  });

  it('refuses one more than it has slots, and names the limit', () => {
    const table = new ParticipantTable(makeWords(), self);
    for (let i = 0; i < COUNT; i++) table.join();
    expect(() => table.join()).toThrow(expect.objectContaining({ code: 'ERR_SHM_PARTICIPANTS_FULL' }));
    expect(() => table.join()).toThrow(/all 4 participant slots/);
  });

  it('gives the slots of the dead to newcomers', () => {
    const words = makeWords();
    for (let i = 0; i < COUNT; i++) new ParticipantTable(words, deadIdentity()).join();
    const table = new ParticipantTable(words, self);
    expect(table.join().slot).toBe(0);
    expect(table.list()).toHaveLength(1);
  });

  it('does not take a token of an earlier life of a slot for its present owner', () => {
    const table = new ParticipantTable(makeWords(), self);
    const old = table.join();
    old.leave();
    expect(table.livenessOf(old.token)).toBe('dead');
    const young = table.join();
    expect(young.slot).toBe(old.slot);
    expect(young.token).not.toBe(old.token);
    expect(table.livenessOf(old.token)).toBe('dead');
    expect(table.livenessOf(young.token)).toBe('alive');
    old.leave();
    expect(table.livenessOf(young.token)).toBe('alive');
  });

  it('still describes the dead after their slot was given up, until it is claimed anew', () => {
    const words = makeWords();
    const dead = new ParticipantTable(words, deadIdentity()).join(Role.Reader);
    const table = new ParticipantTable(words, self);
    expect(table.describe(dead.token)).toMatchObject({ pid: deadIdentity().pid, liveness: 'dead' });
    expect(table.reclaimDead()).toBe(1);
    expect(table.reclaimDead()).toBe(0);
    expect(table.describe(dead.token)).toMatchObject({ pid: deadIdentity().pid, liveness: 'dead', role: 2 });
    table.join();
    expect(table.describe(dead.token)).toBeUndefined();
  });

  it('knows a claimant that was killed before it wrote its identity by the number in the claim', () => {
    const words = makeWords();
    store(words, slotWord(1) + SLOT_CLAIM, (deadIdentity().pid << 10) | 1);
    store(words, slotWord(2) + SLOT_CLAIM, (process.ppid << 10) | 1);
    const table = new ParticipantTable(words, self);
    expect(table.list()).toMatchObject([
      { slot: 1, pid: deadIdentity().pid, liveness: 'dead', identity: undefined },
      { slot: 2, pid: process.ppid, liveness: 'unknown', identity: undefined },
    ]);
    table.join();
    expect(table.list().map(({ slot }) => slot)).toEqual([0, 2]);
  });

  it('reclaims no bare claim once other namespaces take part, whose numbers mean nothing here', () => {
    const words = makeWords();
    new ParticipantTable(words, { ...deadIdentity(), namespace: self.namespace ^ 1 }).join();
    store(words, slotWord(1) + SLOT_CLAIM, (deadIdentity().pid << 10) | 1);
    expect(new ParticipantTable(words, self).list()).toMatchObject([
      { slot: 0, liveness: 'unknown' },
      { slot: 1, liveness: 'unknown' },
    ]);
  });

  it('does not believe the identity of the predecessor while a claimant has not written its own', () => {
    const words = makeWords();
    // The claimant even has the number of its predecessor.
    const past = { ...self, pid: process.ppid, tid: process.ppid, startTicks: 1 };
    const dead = new ParticipantTable(words, past).join();
    const table = new ParticipantTable(words, self);
    const base = slotWord(dead.slot);
    expect(table.list()).toMatchObject([{ liveness: 'dead' }]);
    store(words, base + SLOT_CLAIM, (process.ppid << 10) | 2);
    expect(table.list()).toMatchObject([{ liveness: 'unknown', identity: undefined }]);
    expect(table.reclaimDead()).toBe(0);
    store(words, base + SLOT_GENERATION, 2);
    expect(table.reclaimDead()).toBe(0);
    expect(load(words, base + SLOT_READY)).toBe(1);
  });

  it('counts generations past their 22 bits without ever using 0', () => {
    const words = makeWords();
    store(words, slotWord(0) + SLOT_GENERATION, 0x3ffffe);
    const table = new ParticipantTable(words, self);
    const tokens = Array.from({ length: 3 }, () => {
      const participant = table.join();
      expect(table.livenessOf(participant.token)).toBe('alive');
      participant.leave();
      return participant.token;
    });
    expect(tokens.map((token) => token >>> 8)).toEqual([0x3fffff, 1, 2]);
    expect(tokens.every((token) => token > 0 && token < 2 ** 30)).toBe(true);
  });

  it('survives tokens that nobody ever had', () => {
    const table = new ParticipantTable(makeWords(), self);
    for (const token of [0, -1, 0xff, 2 ** 31 - 1]) {
      expect(table.livenessOf(token)).toBe('dead');
      expect(table.describe(token)).toBeUndefined();
    }
  });
});

describe.skipIf(process.platform !== 'linux')('claimRole', () => {
  it('refuses a second while the first lives, and names it', () => {
    const words = makeWords();
    const table = new ParticipantTable(words, self);
    const [first, second] = [table.join(), table.join()];
    expect(claimRole(words, ROLE_WORD, first, table, 'writer')).toBe(0);
    expect(claimRole(words, ROLE_WORD, first, table, 'writer')).toBe(0);
    expect(() => claimRole(words, ROLE_WORD, second, table, 'writer')).toThrow(
      `the writer is process ${process.pid}, which is alive`,
    );
    releaseRole(words, ROLE_WORD, second);
    expect(load(words, ROLE_WORD)).toBe(first.token);
    releaseRole(words, ROLE_WORD, first);
    expect(claimRole(words, ROLE_WORD, second, table, 'writer')).toBe(0);
  });

  it('replaces a dead holder and says which', () => {
    const words = makeWords();
    const dead = new ParticipantTable(words, deadIdentity()).join();
    const table = new ParticipantTable(words, self);
    const me = table.join();
    store(words, ROLE_WORD, dead.token);
    expect(claimRole(words, ROLE_WORD, me, table, 'writer')).toBe(dead.token);
    expect(load(words, ROLE_WORD)).toBe(me.token);
  });
});
