/**
 * Looking at segments from outside, and cleaning up: what is there, who takes part, who of them is dead.
 *
 * {@link inspect} reads the file, maps nothing and takes no part, so it can be pointed at a running system at any time, and at a folder in
 * which others put what they please. It reads while others write: each number is true for the instant at which it was read, and
 * not all were read at the same instant.
 */
import { readdirSync } from 'node:fs';
import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { loadedAddon } from '../platform/mapping.js';
import { countersAt, type ParticipantCounters } from '../segment/counters.js';
import { systemError } from '../segment/file.js';
import { kindName, LOCK_WORD, SLOT_BELL, SLOT_SLEEPS, slotWord } from '../segment/layout.js';
import type { ParticipantInfo } from '../segment/participants.js';
import { defaultDirectory, removeLeftovers, segmentNameOf } from '../segment/path.js';
import { Segment } from '../segment/segment.js';
import { bellName, bellsIn, NO_BELL_REASONS, removeBell } from '../waiting/bell-file.js';
import { describeStructure, type StructureDetails } from './details.js';
import { SegmentImage } from './image.js';

/** Where to look. */
export interface DirectoryOptions {
  /**
   * Folder of the segments.
   * @defaultValue `/dev/shm` on Linux, the temp folder elsewhere
   */
  readonly directory?: string;
}

/** A participant, and what it does. */
export interface ParticipantReport extends ParticipantInfo {
  readonly asleep: boolean;
  /** Why it cannot be rung for, and looks by itself each 20 ms; undefined when it can, or has not slept yet. */
  readonly noBell: string | undefined;
  readonly counters: ParticipantCounters;
}

/** What {@link inspect} found. */
export interface SegmentReport {
  readonly name: string;
  readonly path: string;
  /** `raw`, `latest`, `mutex`, `ring`, `channel`, `log`, `server`, `queue`. */
  readonly kind: string;
  /** For example `1.0`. Another number before the dot cannot be opened. */
  readonly layoutVersion: string;
  readonly totalBytes: number;
  readonly payloadBytes: number;
  readonly incarnation: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly creatorPid: number;
  /** Whether the name was given up and its file not yet removed, because the remover died. The next opener sees to it. */
  readonly retired: boolean;
  readonly maxParticipants: number;
  /** Who has it open, the dead included. */
  readonly participants: readonly ParticipantReport[];
  /** The lock of the segment: `owner` is undefined when the participant table does not know it any more. */
  readonly lock:
    | { readonly state: 'free' | 'poisoned' }
    | { readonly state: 'held'; readonly owner: ParticipantInfo | undefined };
  /** What the structure says about itself: positions, versions, who is behind by how much. */
  readonly details: StructureDetails;
}

/**
 * Describes a segment without taking part in it.
 *
 * @throws {@link ShmError} `ERR_SHM_NOT_FOUND`, `ERR_SHM_ACCESS`, `ERR_SHM_FOREIGN`, `ERR_SHM_VERSION`, `ERR_SHM_ENDIAN`,
 * `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT`, `ERR_SHM_INVALID_NAME`
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { inspect, openMutex, unlink } from '@chat/shm';
 *
 * const mutex = openMutex('door');
 * await mutex.withLock(() => {
 *   const { lock } = inspect('door');
 *   assert.equal(lock.state === 'held' && lock.owner?.pid, process.pid);
 * });
 * mutex.close();
 * unlink('door');
 * ```
 */
export function inspect(name: string, options: DirectoryOptions = {}): SegmentReport {
  assertOptions(options, 'inspect');
  const segment = SegmentImage.open(name, options.directory ?? defaultDirectory());
  try {
    const { words, participants } = segment;
    const { kind, participants: maxParticipants, payloadOffset: _, params: __, ...header } = segment.header;
    const lock = load(words, LOCK_WORD);
    return {
      name: segment.name,
      path: segment.path,
      kind: kindName(kind),
      ...header,
      maxParticipants,
      participants: participants.list().map((one) => ({
        ...one,
        asleep: load(words, slotWord(one.slot) + SLOT_SLEEPS) !== 0,
        noBell: NO_BELL_REASONS[load(words, slotWord(one.slot) + SLOT_BELL)],
        counters: countersAt(words, one.slot),
      })),
      lock:
        lock > 0
          ? { state: 'held', owner: participants.describe(lock) }
          : { state: lock === 0 ? 'free' : 'poisoned' },
      details: describeStructure(segment),
    };
  } finally {
    segment.close();
  }
}

/** Options of {@link unlink}. */
export interface UnlinkOptions extends DirectoryOptions {
  /** Users, by number, whose segments may be opened for it: see `OpenOptions`. @defaultValue none, beside one's own and root's */
  readonly trustOwners?: readonly number[];
}

/**
 * Gives the name up and removes the file. Who has the segment open keeps using it; who opens the name next makes a new one.
 *
 * @returns false when there was none.
 * @throws {@link ShmError} `ERR_SHM_ACCESS` when the folder or the file belongs to somebody else; `ERR_SHM_FOREIGN` and the like when
 * the file is not a segment: that is left alone; `ERR_SHM_BUSY` while a stopped process is removing it.
 */
export function unlink(name: string, options: UnlinkOptions = {}): boolean {
  assertOptions(options, 'unlink');
  let segment: Segment;
  try {
    segment = Segment.open(undefined, name, { ...options, mode: 'open' });
  } catch (error) {
    if (ShmError.is(error) && error.code === 'ERR_SHM_NOT_FOUND') return false;
    throw error;
  }
  try {
    segment.unlink();
    return true;
  } finally {
    segment.close();
  }
}

/** The names of the segments in a folder, sorted. Files that only look like one are listed too; {@link inspect} tells. */
export function listSegments(options: DirectoryOptions = {}): string[] {
  assertOptions(options, 'listSegments');
  const { directory = defaultDirectory() } = options;
  try {
    return readdirSync(directory)
      .flatMap((file) => segmentNameOf(file) ?? [])
      .sort();
  } catch (error) {
    throw systemError(`listing ${directory}`, error);
  }
}

/** What {@link cleanup} did. */
export interface CleanupReport {
  /** Files of the dead that were removed: unfinished segments, and the sockets by which sleepers are woken. */
  readonly leftovers: readonly string[];
  /** Participant slots of the dead that were freed. */
  readonly participants: number;
  /** Names of segments that were removed because nobody who takes part is alive. Only with `removeAbandoned`. */
  readonly removed: readonly string[];
}

/** Options of {@link cleanup}. */
export interface CleanupOptions extends UnlinkOptions {
  /**
   * Also remove segments in which nobody takes part any more. What is in them is lost.
   * @defaultValue false
   */
  readonly removeAbandoned?: boolean;
  /**
   * Only segments whose names begin so: those of one program. Other files of the dead are left alone then.
   * @defaultValue all
   */
  readonly prefix?: string;
}

/**
 * Removes what the dead left in a folder. Every opener does the same for its own segment, so this is for tidying up after
 * programs that will not come back. Safe at any time, by any number of processes; what belongs to others is passed over.
 *
 * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`: to clean up is to take part. `ERR_SHM_NOT_FOUND`,
 * `ERR_SHM_ACCESS` when the folder cannot be read.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { cleanup, listSegments } from '@chat/shm';
 *
 * cleanup({ prefix: 'shop-', removeAbandoned: true }); // of our program alone, and only what nobody uses
 * assert.deepEqual(listSegments().filter((name) => name.startsWith('shop-')), []);
 * ```
 */
export function cleanup(options: CleanupOptions = {}): CleanupReport {
  assertOptions(options, 'cleanup');
  const { directory = defaultDirectory(), removeAbandoned = false, trustOwners = [], prefix = '' } = options;
  // Not to be mistaken below for something that is wrong with a segment.
  loadedAddon();
  const removed: string[] = [];
  const bellsInUse = new Set<number>();
  let participants = 0;
  for (const name of listSegments({ directory })) {
    if (!name.startsWith(prefix)) continue;
    try {
      const dead = inspect(name, { directory }).participants.filter(
        ({ liveness }) => liveness === 'dead',
      ).length;
      // Opening reclaims the dead.
      const segment = Segment.open(undefined, name, { directory, mode: 'open', trustOwners });
      for (const id of segment.participants.bellsInUse()) bellsInUse.add(id);
      participants += dead;
      if (!removeAbandoned) segment.close();
      else if (segment.closeAndRemoveIfLast()) removed.push(name);
    } catch (error) {
      // Another program's file, another user's, or removed meanwhile: not ours to clean.
      if (!ShmError.is(error)) throw error;
    }
  }
  if (prefix !== '') return { leftovers: [], participants, removed };
  // A bell that serves a segment we may not open is put back by its owner within a second: see bell.ts.
  const bells = bellsIn(directory).filter((id) => !bellsInUse.has(id) && removeBell(directory, id));
  const leftovers = [...removeLeftovers(directory), ...bells.map(bellName)];
  return { leftovers, participants, removed };
}
