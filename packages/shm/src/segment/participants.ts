/**
 * Who takes part in a segment: a table of slots, each claimed by one open handle of one thread.
 *
 * A slot is owned by the compare-and-swap of one word that already holds the claimant's pid, so there is no instant at which a slot
 * is taken and nobody knows by whom. The identity (see `liveness.ts`) is written after the claim and made valid by READY.
 * A participant is named elsewhere, in lock words and role words, by its *token*: slot and generation. A slot that was
 * given up or taken over has another generation, so an old token can never be mistaken for a live participant.
 *
 * What a participant killed at any instruction leaves:
 *
 *     nothing claimed              nothing
 *     claimed, not ready           the pid in the claim: reclaimed once no process has that number
 *     ready                        the identity: reclaimed once it is proven dead
 *
 * Slots are reclaimed by whoever joins. Giving up or reclaiming a slot is one compare-and-swap against the very claim that was
 * examined; a slow reclaimer cannot hit a successor.
 */

import { ShmError } from '../errors.js';
import { compareExchange, fence, load, store } from '../platform/atomics.js';
import { type Identity, type Liveness, livenessOf, processExists } from '../platform/liveness.js';
import {
  CREATOR_NAMESPACE_WORD,
  MIXED_NAMESPACES_WORD,
  PARTICIPANT_COUNT_WORD,
  SLOT_BOOT,
  SLOT_CLAIM,
  SLOT_GENERATION,
  SLOT_JOINED_HIGH,
  SLOT_JOINED_LOW,
  SLOT_NAMESPACE,
  SLOT_PID,
  SLOT_READY,
  SLOT_ROLE,
  SLOT_START_HIGH,
  SLOT_START_LOW,
  SLOT_TID,
  SLOT_USER,
  SLOT_WORDS,
  slotWord,
} from './layout.js';

const GENERATION_MASK = 0x3fffff;
const CLAIM_GENERATION_MASK = 0x3ff;

/** What a participant is here for. Informative: shown by `inspect()`. */
export const Role = { User: 0, Writer: 1, Reader: 2, Both: 3 } as const;
/** What a participant is here for. */
export type Role = (typeof Role)[keyof typeof Role];

/** A participant as somebody else sees it. */
export interface ParticipantInfo {
  /** Position in the table. */
  readonly slot: number;
  /** How often the slot was claimed. */
  readonly generation: number;
  readonly role: Role;
  /** Undefined when it was caught, or killed, while joining. Its `pid` is known even then. */
  readonly identity: Identity | undefined;
  readonly pid: number;
  /** Milliseconds since 1970; 0 when it was caught while joining. */
  readonly joinedAt: number;
  readonly liveness: Liveness;
}

/** A claimed slot. */
export interface Participant {
  readonly slot: number;
  /** Names this participant in a lock word or role word: positive, below 2^30. */
  readonly token: number;
  /** Index of the first of 4 words that belong to the kind; 0 at first. */
  readonly userWord: number;
  /** Changes what `inspect()` shows. */
  setRole(role: Role): void;
  /** Gives the slot up. Does nothing the second time. */
  leave(): void;
}

/** The participant table of a mapped segment. */
export class ParticipantTable {
  readonly #words: Int32Array;
  readonly #count: number;
  readonly #self: Identity;

  /** `self` is the calling thread's `currentIdentity()`. The words are only written by {@link join} and {@link reclaimDead}. */
  constructor(words: Int32Array, self: Identity) {
    this.#words = words;
    this.#count = load(words, PARTICIPANT_COUNT_WORD);
    this.#self = self;
  }

  /**
   * Claims a slot for the calling thread, after reclaiming those of the dead.
   *
   * @throws {@link ShmError} `ERR_SHM_PARTICIPANTS_FULL`
   */
  join(role: Role = Role.User): Participant {
    const words = this.#words;
    // Before the claim: whoever sees the claim sees that its pid may be of another namespace.
    if (this.#self.namespace !== load(words, CREATOR_NAMESPACE_WORD)) store(words, MIXED_NAMESPACES_WORD, 1);
    this.reclaimDead();
    for (let slot = 0; slot < this.#count; slot++) {
      const participant = this.#claim(slot, role);
      if (participant !== undefined) return participant;
    }
    throw new ShmError(
      'ERR_SHM_PARTICIPANTS_FULL',
      `all ${this.#count} participant slots are taken by live participants; create the segment with a larger maxParticipants`,
    );
  }

  /** Frees the slots of participants that are proven dead; returns how many. May be called by anybody at any time. */
  reclaimDead(): number {
    let reclaimed = 0;
    for (let slot = 0; slot < this.#count; slot++) {
      const claim = load(this.#words, slotWord(slot) + SLOT_CLAIM);
      if (claim === 0 || this.#livenessOfClaim(slot, claim) !== 'dead') continue;
      if (compareExchange(this.#words, slotWord(slot) + SLOT_CLAIM, claim, 0) === claim) reclaimed++;
    }
    return reclaimed;
  }

  /** Tells whether the participant that `token` names still lives. One that has left counts as dead. */
  livenessOf(token: number): Liveness {
    const { slot, generation } = readToken(token);
    if (slot < 0 || slot >= this.#count) return 'dead';
    const base = slotWord(slot);
    const claim = load(this.#words, base + SLOT_CLAIM);
    if (claim === 0 || !isClaimOf(claim, generation)) return 'dead';
    if (load(this.#words, base + SLOT_GENERATION) !== generation) return 'dead';
    return this.#livenessOfClaim(slot, claim);
  }

  /** Describes the participant that `token` names, also when it is gone; undefined once its slot was claimed anew. */
  describe(token: number): ParticipantInfo | undefined {
    const { slot, generation } = readToken(token);
    if (slot < 0 || slot >= this.#count) return undefined;
    const words = this.#words;
    const base = slotWord(slot);
    const pid = words[base + SLOT_PID] ?? 0;
    const info = this.#info(slot, (pid << 10) | (generation & CLAIM_GENERATION_MASK));
    return info?.generation === generation && info.identity !== undefined ? info : undefined;
  }

  /** Tells whether anybody but `self` takes part and is not proven dead. */
  hasOthers(self: Participant): boolean {
    for (let slot = 0; slot < this.#count; slot++) {
      if (slot === self.slot) continue;
      const claim = load(this.#words, slotWord(slot) + SLOT_CLAIM);
      if (claim !== 0 && this.#livenessOfClaim(slot, claim) !== 'dead') return true;
    }
    return false;
  }

  /** Everybody in the table, the dead included. */
  list(): ParticipantInfo[] {
    const infos: ParticipantInfo[] = [];
    for (let slot = 0; slot < this.#count; slot++) {
      const claim = load(this.#words, slotWord(slot) + SLOT_CLAIM);
      if (claim !== 0) infos.push(this.#info(slot, claim));
    }
    return infos;
  }

  #claim(slot: number, role: Role): Participant | undefined {
    const words = this.#words;
    const self = this.#self;
    const base = slotWord(slot);
    const before = load(words, base + SLOT_GENERATION);
    const generation = (before + 1) & GENERATION_MASK || 1;
    const claim = (self.pid << 10) | (generation & CLAIM_GENERATION_MASK);
    if (compareExchange(words, base + SLOT_CLAIM, 0, claim) !== 0) return undefined;
    // Somebody had the slot between our load and our claim: its generation is used up.
    if (load(words, base + SLOT_GENERATION) !== before) {
      compareExchange(words, base + SLOT_CLAIM, claim, 0);
      return undefined;
    }
    // From here on READY differs from GENERATION, and the identity below is not believed.
    store(words, base + SLOT_GENERATION, generation);
    fence();
    const now = Date.now();
    words[base + SLOT_ROLE] = role;
    words[base + SLOT_PID] = self.pid;
    words[base + SLOT_TID] = self.tid;
    words[base + SLOT_START_LOW] = self.startTicks | 0;
    words[base + SLOT_START_HIGH] = Math.floor(self.startTicks / 2 ** 32);
    words[base + SLOT_NAMESPACE] = self.namespace;
    words[base + SLOT_BOOT] = self.boot;
    words[base + SLOT_JOINED_LOW] = now | 0;
    words[base + SLOT_JOINED_HIGH] = Math.floor(now / 2 ** 32);
    words.fill(0, base + SLOT_USER, base + SLOT_WORDS);
    // publish: the identity above is visible to whoever sees this word.
    // pairs with: #identity, load of READY
    store(words, base + SLOT_READY, generation);

    let left = false;
    return {
      slot,
      token: (slot + 1) | (generation << 8),
      userWord: base + SLOT_USER,
      setRole: (next) => {
        if (!left) store(words, base + SLOT_ROLE, next);
      },
      leave: () => {
        if (!left) compareExchange(words, base + SLOT_CLAIM, claim, 0);
        left = true;
      },
    };
  }

  #livenessOfClaim(slot: number, claim: number): Liveness {
    const identity = this.#identity(slot, claim);
    if (identity !== undefined) {
      const { pid, tid, startTicks, namespace } = this.#self;
      if (identity.pid === pid && identity.tid === tid && identity.startTicks === startTicks) {
        if (identity.namespace === namespace) return 'alive';
      }
      return livenessOf(identity, this.#self);
    }
    // Only the pid is known, and says something only if it is a number of our own namespace.
    const words = this.#words;
    if (load(words, MIXED_NAMESPACES_WORD) !== 0) return 'unknown';
    if (load(words, CREATOR_NAMESPACE_WORD) !== this.#self.namespace) return 'unknown';
    return processExists(claim >>> 10) ? 'unknown' : 'dead';
  }

  /** The identity behind a claim, or undefined while it is not written or when the slot has changed hands meanwhile. */
  #identity(slot: number, claim: number): Identity | undefined {
    const words = this.#words;
    const base = slotWord(slot);
    const ready = load(words, base + SLOT_READY);
    if (!isClaimOf(claim, ready) || load(words, base + SLOT_GENERATION) !== ready) return undefined;
    const identity = {
      pid: words[base + SLOT_PID] ?? 0,
      tid: words[base + SLOT_TID] ?? 0,
      startTicks: join64(words[base + SLOT_START_LOW] ?? 0, words[base + SLOT_START_HIGH] ?? 0),
      namespace: words[base + SLOT_NAMESPACE] ?? 0,
      boot: words[base + SLOT_BOOT] ?? 0,
    };
    // A successor changes GENERATION before it writes any of the words above.
    fence();
    const same = load(words, base + SLOT_GENERATION) === ready;
    return same && identity.pid === claim >>> 10 ? identity : undefined;
  }

  #info(slot: number, claim: number): ParticipantInfo {
    const words = this.#words;
    const base = slotWord(slot);
    const identity = this.#identity(slot, claim);
    const joinedAt = join64(words[base + SLOT_JOINED_LOW] ?? 0, words[base + SLOT_JOINED_HIGH] ?? 0);
    const held = load(words, base + SLOT_CLAIM) === claim;
    return {
      slot,
      generation: load(words, base + SLOT_GENERATION),
      role: (identity === undefined ? Role.User : load(words, base + SLOT_ROLE)) as Role,
      identity,
      pid: claim >>> 10,
      joinedAt: identity === undefined ? 0 : joinedAt,
      liveness: held ? this.#livenessOfClaim(slot, claim) : 'dead',
    };
  }
}

/**
 * Takes a role that only one participant may have, as the word at `index` says; 0 is nobody. A dead holder is replaced.
 *
 * @returns the token of the dead participant that had the role before, or 0.
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while the holder is not proven dead.
 */
export function claimRole(
  words: Int32Array,
  index: number,
  participant: Participant,
  table: ParticipantTable,
  roleName: string,
): number {
  for (;;) {
    const holder = compareExchange(words, index, 0, participant.token);
    if (holder === 0 || holder === participant.token) return 0;
    const liveness = table.livenessOf(holder);
    if (liveness !== 'dead') {
      const pid = table.describe(holder)?.pid;
      throw new ShmError(
        'ERR_SHM_ROLE_TAKEN',
        `the ${roleName} is process ${pid ?? '?'}, which is ${liveness}`,
      );
    }
    // The word holds the generation of the dead, so this cannot hit a successor.
    if (compareExchange(words, index, holder, participant.token) === holder) return holder;
  }
}

/** Gives a role up, if `participant` has it. */
export function releaseRole(words: Int32Array, index: number, participant: Participant): void {
  compareExchange(words, index, participant.token, 0);
}

function readToken(token: number): { slot: number; generation: number } {
  return { slot: (token & 0xff) - 1, generation: (token >>> 8) & GENERATION_MASK };
}

function isClaimOf(claim: number, generation: number): boolean {
  return generation !== 0 && (claim & CLAIM_GENERATION_MASK) === (generation & CLAIM_GENERATION_MASK);
}

function join64(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}
