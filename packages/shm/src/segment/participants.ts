/**
 * Who takes part in a segment: a table of slots, each claimed by one open handle of one thread.
 *
 * A participant is named elsewhere, in lock words and role words, by its *token*: slot and generation, that is, one life of one slot. No
 * token comes twice. The token is also the number of a byte of the file, which the handle keeps locked as long as it lives (see
 * `byte-lock.ts`): whoever finds the byte free has proof that this participant is dead or has left, and no other can be meant.
 *
 *     GENERATION g ──CAS──▶ g + 1        the token of (slot, g + 1) is ours, and will never be anybody else's
 *     lock byte `token`                  from here on everybody can see that it lives
 *     TOKEN 0 or dead ──CAS──▶ token     the slot is ours
 *     numbers of the process; READY      for people
 *
 * Killed between any two of them, it leaves a generation that nobody uses, or a slot whose owner is proven dead. Slots are reclaimed
 * by whoever joins, by a swap from the very token whose death was proven; since that never comes back, a slow reclaimer
 * cannot hit a successor.
 */
import { ShmError } from '../errors.js';
import { compareExchange, fence, load, store } from '../platform/atomics.js';
import { type Identity, type Liveness, seenOf } from '../platform/liveness.js';
import { step } from '../platform/step.js';
import { removeBell } from '../waiting/bell-file.js';
import {
  SLOT_BELL,
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
  SLOT_TOKEN,
  SLOT_USER,
  SLOT_WORDS,
  slotWord,
} from './layout.js';

/** Tokens are positive int32. */
const TOKEN_BITS = 31;

/** What a participant is here for. Shown by `inspect()`, and nothing else. */
export const Role = { User: 0, Writer: 1, Reader: 2, Both: 3 } as const;
/** What a participant is here for. */
export type Role = (typeof Role)[keyof typeof Role];

/** The name of a role. */
export type RoleName = 'user' | 'writer' | 'reader' | 'both';
const ROLE_NAMES: readonly RoleName[] = ['user', 'writer', 'reader', 'both'];

/** A participant as somebody else sees it. */
export interface ParticipantInfo {
  /** Position in the table. */
  readonly slot: number;
  /** Names this one life of the slot. */
  readonly token: number;
  /** What it is here for. */
  readonly role: RoleName;
  /** How the kernel numbers it; undefined when it was caught, or killed, while joining. Numbers of another pid namespace mean nothing here. */
  readonly identity: Identity | undefined;
  /** 0 when it was caught while joining. */
  readonly pid: number;
  /** Milliseconds since 1970; 0 when it was caught while joining. */
  readonly joinedAt: number;
  readonly liveness: Liveness;
}

/** A claimed slot. */
export interface Participant {
  readonly slot: number;
  /** Names this participant in a lock word or role word: a positive int32. */
  readonly token: number;
  /** Index of the first of 4 words that belong to the kind; 0 at first. */
  readonly userWord: number;
  /** Changes what `inspect()` shows. */
  setRole(role: Role): void;
  /** Gives the slot up. Does nothing the second time. */
  leave(): void;
}

/** The lives of a segment, as the kernel knows them: a `ByteLock`, or a descriptor that only asks. */
export interface Lives {
  /** Whether another handle than this one lives under the token; undefined where it cannot be told. */
  isTaken(token: number): boolean | undefined;
  /** Lives under the token. False when another one does. */
  take?(token: number): boolean;
  /** Lives no longer. */
  release?(token: number): void;
}

/** What a table is made of. */
export interface TableOptions {
  /** The segment, or as much of its beginning as holds the table. */
  readonly words: Int32Array;
  /** Number of slots, as it was checked. */
  readonly count: number;
  readonly lives: Lives;
  /** The calling thread's `currentIdentity()`. */
  readonly self: Identity;
}

/** The participant table of a segment. */
export class ParticipantTable {
  /** How many slots there are. */
  readonly count: number;
  readonly #words: Int32Array;
  readonly #lives: Lives;
  readonly #self: Identity;
  readonly #slotBits: number;
  /** The tokens under which this very opening lives: the kernel does not show it its own locks. */
  readonly #own = new Set<number>();

  /** The words are only written by {@link join} and {@link reclaimDead}. */
  constructor({ words, count, lives, self }: TableOptions) {
    this.count = count;
    this.#words = words;
    this.#lives = lives;
    this.#self = self;
    this.#slotBits = slotBits(count);
  }

  /**
   * Claims a slot for this handle, after reclaiming those of the dead.
   *
   * @throws {@link ShmError} `ERR_SHM_PARTICIPANTS_FULL`
   */
  join(role: Role = Role.User): Participant {
    this.reclaimDead();
    let wornOut = 0;
    for (let slot = 0; slot < this.count; slot++) {
      if (this.#isWornOut(slot)) wornOut++;
      const participant = this.#claim(slot, role);
      if (participant !== undefined) return participant;
    }
    const worn =
      wornOut === 0
        ? ''
        : `; ${wornOut} of them have had as many lives as they can number: unlink the name, so that the segment is made anew`;
    throw new ShmError(
      'ERR_SHM_PARTICIPANTS_FULL',
      `all ${this.count} participant slots are taken by live participants${worn}; create the segment with a larger maxParticipants`,
    );
  }

  /** Frees the slots of participants that are proven dead; returns how many. May be called by anybody at any time. */
  reclaimDead(): number {
    let reclaimed = 0;
    for (let slot = 0; slot < this.count; slot++) {
      const token = load(this.#words, slotWord(slot) + SLOT_TOKEN);
      if (token === 0 || !this.isDead(token)) continue;
      if (compareExchange(this.#words, slotWord(slot) + SLOT_TOKEN, token, 0) === token) reclaimed++;
    }
    return reclaimed;
  }

  /** The numbers of the bells that wake participants who are not proven dead. */
  bellsInUse(): number[] {
    return this.#bells(false);
  }

  /** Removes the sockets by which the dead in the table were woken. */
  removeBellsOfTheDead(directory: string): void {
    const inUse = new Set(this.bellsInUse());
    for (const id of this.#bells(true)) if (!inUse.has(id)) removeBell(directory, id);
  }

  /** Tells whether the participant that `token` names is proven dead, or has left. Asks the kernel: about a microsecond. */
  isDead(token: number): boolean {
    if (this.#own.has(token)) return false;
    return token <= 0 || this.#lives.isTaken(token) === false;
  }

  /** The same for people: also tells whether it is stopped, where /proc shows it. Tens of microseconds. */
  livenessOf(token: number): Liveness {
    if (this.isDead(token)) return 'dead';
    const slot = this.slotOf(token);
    const identity = slot < this.count ? this.#identity(slot, token) : undefined;
    const seen = identity === undefined ? 'unknown' : seenOf(identity, this.#self);
    // Where there is no proof that it lives, what /proc shows is as good as it gets.
    const isProven = this.#own.has(token) || this.#lives.isTaken(token) === true;
    return seen === 'unknown' && isProven ? 'alive' : seen;
  }

  /** The slot that a token is of; it may be outside of the table when the token is nobody's. */
  slotOf(token: number): number {
    return token & ((1 << this.#slotBits) - 1);
  }

  /** The token of who has `slot`, dead or alive, or 0: nobody, or somebody who is only just coming. */
  tokenAt(slot: number): number {
    const token = this.#ownerOf(slot);
    return load(this.#words, slotWord(slot) + SLOT_READY) === token ? token : 0;
  }

  /** Describes the participant that `token` names, also when it is gone; undefined once its slot was claimed anew. */
  describe(token: number): ParticipantInfo | undefined {
    if (token <= 0) return undefined;
    const slot = this.slotOf(token);
    if (slot >= this.count || this.#identity(slot, token) === undefined) return undefined;
    return this.#info(slot, token);
  }

  /** Tells whether anybody but `self` takes part and is not proven dead. */
  hasOthers(self: Participant): boolean {
    for (let slot = 0; slot < this.count; slot++) {
      const token = this.#ownerOf(slot);
      if (token !== 0 && token !== self.token && !this.isDead(token)) return true;
    }
    return false;
  }

  /** Everybody in the table, the dead included. */
  list(): ParticipantInfo[] {
    const infos: ParticipantInfo[] = [];
    for (let slot = 0; slot < this.count; slot++) {
      const token = this.#ownerOf(slot);
      if (token !== 0) infos.push(this.#info(slot, token));
    }
    return infos;
  }

  #ownerOf(slot: number): number {
    return load(this.#words, slotWord(slot) + SLOT_TOKEN);
  }

  #bells(ofTheDead: boolean): number[] {
    const ids: number[] = [];
    for (let slot = 0; slot < this.count; slot++) {
      const id = load(this.#words, slotWord(slot) + SLOT_BELL);
      const owner = this.#ownerOf(slot);
      if (id > 0 && (owner === 0 || this.isDead(owner)) === ofTheDead) ids.push(id);
    }
    return ids;
  }

  #isWornOut(slot: number): boolean {
    return (
      (load(this.#words, slotWord(slot) + SLOT_GENERATION) >>> 0) + 1 >= 2 ** (TOKEN_BITS - this.#slotBits)
    );
  }

  #claim(slot: number, role: Role): Participant | undefined {
    const words = this.#words;
    const lives = this.#lives;
    const base = slotWord(slot);
    const owner = load(words, base + SLOT_TOKEN);
    if ((owner !== 0 && !this.isDead(owner)) || this.#isWornOut(slot)) return undefined;
    const generation = load(words, base + SLOT_GENERATION);
    if (compareExchange(words, base + SLOT_GENERATION, generation, generation + 1) !== generation) {
      return undefined; // Somebody else is joining here.
    }
    const token = ((generation + 1) << this.#slotBits) | slot;
    step('join: before the lock');
    if (lives.take?.(token) !== true) return undefined;
    step('join: locked');
    if (compareExchange(words, base + SLOT_TOKEN, owner, token) !== owner) {
      lives.release?.(token);
      return undefined;
    }
    this.#own.add(token);
    // From here on READY differs from TOKEN, and the numbers below are not believed.
    fence();
    this.#introduce(base, role);
    // publish: the numbers above are visible to whoever sees this word.
    // pairs with: #identity, load of READY
    store(words, base + SLOT_READY, token);

    let left = false;
    return {
      slot,
      token,
      userWord: base + SLOT_USER,
      setRole: (next) => {
        if (!left) store(words, base + SLOT_ROLE, next);
      },
      leave: () => {
        if (left) return;
        left = true;
        compareExchange(words, base + SLOT_TOKEN, token, 0);
        this.#own.delete(token);
        lives.release?.(token);
      },
    };
  }

  #introduce(base: number, role: Role): void {
    const words = this.#words;
    const self = this.#self;
    const now = Date.now();
    words[base + SLOT_ROLE] = role;
    words[base + SLOT_PID] = self.pid;
    words[base + SLOT_TID] = self.tid;
    words[base + SLOT_START_LOW] = self.startTicks | 0;
    words[base + SLOT_START_HIGH] = Math.floor(self.startTicks / 2 ** 32);
    words[base + SLOT_NAMESPACE] = self.namespace;
    words[base + SLOT_JOINED_LOW] = now | 0;
    words[base + SLOT_JOINED_HIGH] = Math.floor(now / 2 ** 32);
    words.fill(0, base + SLOT_USER, base + SLOT_WORDS);
  }

  /** The numbers that belong to a token, or undefined while they are not written or when the slot has another owner by now. */
  #identity(slot: number, token: number): Identity | undefined {
    const words = this.#words;
    const base = slotWord(slot);
    if (load(words, base + SLOT_READY) !== token) return undefined;
    const identity = {
      pid: words[base + SLOT_PID] ?? 0,
      tid: words[base + SLOT_TID] ?? 0,
      startTicks: join64(words[base + SLOT_START_LOW] ?? 0, words[base + SLOT_START_HIGH] ?? 0),
      namespace: words[base + SLOT_NAMESPACE] ?? 0,
    };
    // A successor changes TOKEN before it writes any of the words above.
    fence();
    const owner = load(words, base + SLOT_TOKEN);
    return (owner === token || owner === 0) && load(words, base + SLOT_READY) === token && identity.pid > 0
      ? identity
      : undefined;
  }

  #info(slot: number, token: number): ParticipantInfo {
    const words = this.#words;
    const base = slotWord(slot);
    const identity = this.#identity(slot, token);
    const joinedAt = join64(words[base + SLOT_JOINED_LOW] ?? 0, words[base + SLOT_JOINED_HIGH] ?? 0);
    return {
      slot,
      token,
      role: (identity && ROLE_NAMES[load(words, base + SLOT_ROLE)]) ?? 'user',
      identity,
      pid: identity?.pid ?? 0,
      joinedAt: identity === undefined ? 0 : joinedAt,
      liveness: this.#ownerOf(slot) === token ? this.livenessOf(token) : 'dead',
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
    if (!table.isDead(holder)) {
      const info = table.describe(holder);
      throw new ShmError(
        'ERR_SHM_ROLE_TAKEN',
        `the ${roleName} is process ${info?.pid ?? '?'}, which is ${info?.liveness ?? 'alive'}`,
      );
    }
    // The token of the dead never comes back, so this cannot hit a successor.
    if (compareExchange(words, index, holder, participant.token) === holder) return holder;
  }
}

/** Gives a role up, if `participant` has it. */
export function releaseRole(words: Int32Array, index: number, participant: Participant): void {
  compareExchange(words, index, participant.token, 0);
}

/** Bits of a token that name the slot: as few as do, so that as many lives as possible have a number. */
export function slotBits(count: number): number {
  return 32 - Math.clz32(count - 1);
}

function join64(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}
