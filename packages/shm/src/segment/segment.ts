/**
 * A segment: a named file in memory that several processes have open, with a header that says what it is, a table of
 * who takes part, one lock, and room for one structure (the payload).
 *
 * Life of a name. Creating publishes a finished file (see `file.ts`). Removing it first marks the segment *retired*
 * in its own memory and then unlinks the file, both while holding its CLOSING word; so whoever still has it mapped can learn that the
 * name is somebody else's now, a remover killed half way is finished by the next opener, and no two removers can meet on one
 * file. "The last one out removes it" is the same with a look into the participant table in between; a newcomer claims his slot first and looks
 * at CLOSING afterwards, so either the remover sees him or he sees the remover.
 *
 * Not here: what the payload means. Kinds describe themselves with a {@link SegmentSpec}, see `spec.ts`.
 */
import { closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { ShmError } from '../errors.js';
import { compareExchange, load, sleepSync, store } from '../platform/atomics.js';
import { ByteLock } from '../platform/byte-lock.js';
import { currentIdentity, type Identity } from '../platform/liveness.js';
import { type Mapping, mapFile, pageBytes } from '../platform/mapping.js';
import { step } from '../platform/step.js';
import { Counters } from './counters.js';
import { openFile, systemError } from './file.js';
import { folderChanges } from './folder-changes.js';
import { parseHeader, readHeader, type SegmentHeader } from './header.js';
import { CLOSING_WORD, RETIRED_WORD } from './layout.js';
import { type Participant, ParticipantTable, Role } from './participants.js';
import { defaultDirectory, removeLeftovers, segmentPath } from './path.js';
import { makeSegment, mismatchOf, type SegmentSpec } from './spec.js';

/** How every opener of this package treats the name. */
export interface OpenOptions {
  /**
   * `create` fails if there is one already, `open` if there is none.
   * @defaultValue `'open-or-create'`
   */
  readonly mode?: 'create' | 'open' | 'open-or-create';
  /**
   * Folder of the file. It should be in memory (tmpfs).
   * @defaultValue `/dev/shm` on Linux, the temp folder elsewhere
   */
  readonly directory?: string;
  /**
   * Permissions of a new file; the umask applies. With `0o666`, which lets every user write, a segment that another user has made is
   * opened as well: each of them could truncate it in any case.
   * @defaultValue `0o600`
   */
  readonly permissions?: number;
  /**
   * Room for this many open handles at a time, all processes together, in a new segment: 1 to 254.
   * @defaultValue 64
   */
  readonly maxParticipants?: number;
  /**
   * Users, by number, whose segments may be opened, beside those of this process's own user and of root. Such a user can read and
   * forge everything in them, and kill this process by truncating the file.
   * @defaultValue none
   */
  readonly trustOwners?: readonly number[];
  /**
   * What becomes of an existing segment of another kind or size, after a program was changed: `refuse` throws `ERR_SHM_KIND` or
   * `ERR_SHM_PARAMS`; `replace-abandoned` removes it, with what is in it, if everybody who took part is proven dead, and makes
   * a new one.
   * @defaultValue `'refuse'`
   */
  readonly onMismatch?: 'refuse' | 'replace-abandoned';
}

/** Of structures that can be looked at without taking part. */
export interface ReadableOptions extends OpenOptions {
  /**
   * `read-only` needs no permission to write, never creates, takes no slot of the participant table and never writes:
   * nobody can tell that it is there.
   * @defaultValue `'read-write'`
   */
  readonly access?: 'read-write' | 'read-only';
}

/** Stands for the participant that a read-only handle is not. */
const ONLOOKER: Participant = { slot: -1, token: 0, userWord: -1, setRole: () => {}, leave: () => {} };

/** A segment that is mapped and in which this handle does not take part yet. */
interface Opened {
  readonly name: string;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly mapping: Mapping;
  readonly lock: ByteLock;
  readonly created: boolean;
}

const ATTEMPTS = 100;
const REPLACE_ATTEMPTS = 20;
/** Removing takes microseconds, unless the machine is very busy, */
const CLOSING_PATIENCE_MS = 1000;
/** or the remover was stopped: then it will take as long as somebody pleases. */
const STOPPED_PATIENCE_MS = 100;

/** A mapped segment in which this handle takes part. Made by `Segment.open`. */
export class Segment {
  readonly name: string;
  readonly path: string;
  /** Names one life of the name: another number after the segment was removed and made anew. */
  readonly incarnation: number;
  /** Byte offset of the payload: a multiple of 4096. */
  readonly payloadOffset: number;
  readonly payloadBytes: number;
  /** The values of the kind's parameters, as the segment has them. */
  readonly params: readonly number[];
  /** Whether this call made it. */
  readonly created: boolean;
  /** @internal */
  readonly participants: ParticipantTable;
  /** @internal */
  readonly participant: Participant;
  /** Opened without permission to write: a store to its memory kills the process. */
  readonly readOnly: boolean;
  /** What this handle does is counted here. @internal */
  readonly counters: Counters;
  /** The calling thread. @internal */
  readonly self: Identity = currentIdentity();
  readonly #mapping: Mapping;
  readonly #lock: ByteLock;
  #closed = false;
  /** Of the folder, when the file was last looked for. */
  #folderChanges = 0;

  private constructor({ name, path, header, mapping, lock, created }: Opened, role: Role) {
    this.name = name;
    this.path = path;
    this.incarnation = header.incarnation;
    this.payloadOffset = header.payloadOffset;
    this.payloadBytes = header.payloadBytes;
    this.params = header.params;
    this.created = created;
    this.readOnly = !mapping.writable;
    this.participants = new ParticipantTable({
      words: mapping.words,
      count: header.participants,
      lives: lock,
      self: this.self,
    });
    this.participant = this.readOnly ? ONLOOKER : this.participants.join(role);
    this.counters = new Counters(mapping.words, this.participant.slot);
    this.#mapping = mapping;
    this.#lock = lock;
  }

  /**
   * Opens the segment `name`, makes it, or either, as `options.mode` says, and takes part in it.
   *
   * `spec` undefined opens an existing segment of whatever kind.
   *
   * @throws {@link ShmError} `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_NO_SPACE`, `ERR_SHM_ACCESS`, `ERR_SHM_IO`,
   * `ERR_SHM_INVALID_NAME`, `ERR_SHM_FOREIGN`, `ERR_SHM_ENDIAN`, `ERR_SHM_VERSION`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`,
   * `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT`, `ERR_SHM_PARTICIPANTS_FULL`, `ERR_SHM_BUSY`, `ERR_SHM_MAP_FAILED`,
   * `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`
   */
  static open(
    spec: SegmentSpec | undefined,
    name: string,
    options: ReadableOptions = {},
    role: Role = Role.User,
  ): Segment {
    const { access = 'read-write', directory = defaultDirectory() } = options;
    const writable = access === 'read-write';
    const { mode = writable ? 'open-or-create' : 'open' } = options;
    if (!writable && mode !== 'open') {
      throw new TypeError(`access 'read-only' with mode ${JSON.stringify(mode)} is not possible`);
    }
    const { onMismatch = 'refuse' } = options;
    const path = segmentPath(name, directory);
    // Before all else: that this platform cannot do it comes before whether there is something to open.
    pageBytes();
    let replacing = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const fd = openFile(path, writable, options);
      if (fd === undefined) {
        if (mode === 'open' || spec === undefined) {
          throw new ShmError('ERR_SHM_NOT_FOUND', `there is no segment ${name} in ${directory}`);
        }
        const made = makeSegment(spec, path, options);
        if (made === undefined) continue;
        const { filled: mapping, lock } = made;
        const header = parseHeader(mapping.words);
        const segment = Segment.#join({ name, path, header, mapping, lock, created: true }, role);
        if (segment !== undefined) return segment;
        continue;
      }
      let opened: Opened;
      let mismatch: ShmError | undefined;
      try {
        const header = readHeader(fd, path);
        // Its maker was killed, or is just now, between giving the file its name and removing the temporary one.
        if (writable && fstatSync(fd).nlink > 1) removeLeftovers(directory, name);
        if (mode === 'create' && !header.retired) {
          throw new ShmError('ERR_SHM_EXISTS', `there is a segment ${name} in ${directory} already`);
        }
        mismatch = spec && mismatchOf(spec, header, path);
        const replaces = onMismatch === 'replace-abandoned' && mode !== 'open' && writable;
        if (mismatch !== undefined && !header.retired && !replaces) throw mismatch;
        const lock = new ByteLock(fd, path);
        try {
          const mapping = mapFile(fd, header.totalBytes, writable);
          opened = { name, path, header, mapping, lock, created: false };
        } catch (error) {
          lock.close();
          throw error;
        }
      } finally {
        closeSync(fd);
      }
      const segment = Segment.#join(opened, role);
      if (segment === undefined) continue;
      if (mismatch === undefined) return segment;
      // It is not what was asked for: nobody uses it any more and it goes, or somebody does, and it stays.
      if (onMismatch !== 'replace-abandoned') segment.close();
      else if (segment.closeAndRemoveIfLast()) continue;
      else if (++replacing < REPLACE_ATTEMPTS) {
        // It may be another one that came to replace it.
        sleepSync(1 + Math.random() * 10);
        continue;
      }
      throw mismatch;
    }
    throw new ShmError(
      'ERR_SHM_BUSY',
      `the segment ${name} was removed ${ATTEMPTS} times while being opened`,
    );
  }

  /** Takes part in a mapped segment, unless its name has been given up. */
  static #join(opened: Opened, role: Role): Segment | undefined {
    let segment: Segment | undefined;
    try {
      segment = new Segment(opened, role);
      if (segment.readOnly) return segment;
      segment.#awaitRemover();
      if (segment.#isRetired()) {
        // Finishes the work of a remover who died between the mark and the unlink.
        segment.unlink();
      } else if (segment.#isPublished()) {
        return segment;
      }
      segment.close();
      return undefined;
    } catch (error) {
      if (segment !== undefined) segment.close();
      else {
        opened.lock.close();
        opened.mapping.release();
      }
      throw error;
    }
  }

  /** The whole segment as words. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get words(): Int32Array {
    this.#assertOpen();
    return this.#mapping.words;
  }

  /** The whole segment as bytes. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get bytes(): Uint8Array {
    this.#assertOpen();
    return this.#mapping.bytes;
  }

  /** @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED` */
  assertWritable(): void {
    this.#assertOpen();
    if (this.readOnly)
      throw new ShmError('ERR_SHM_READ_ONLY', `the segment ${this.name} was opened read-only`);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Whether the name was given up, or the file removed by a stranger (`rm`, systemd): whoever opens the name now gets another segment, and
   * this one serves those who have it.
   */
  get retired(): boolean {
    return this.#isRetired() || !this.#isReachable();
  }

  /** The same for who asks again and again: the file is looked for only when something in its folder has changed. */
  get retiredMeanwhile(): boolean {
    if (this.#isRetired()) return true;
    const changes = folderChanges(dirname(this.path));
    if (changes === this.#folderChanges) return false;
    this.#folderChanges = changes;
    return !this.#isReachable();
  }

  #isRetired(): boolean {
    return load(this.words, RETIRED_WORD) !== 0;
  }

  /** Leaves the table and lets go of the memory. Idempotent. Views taken earlier read zeros from now on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.participant.leave();
    this.#lock.close();
    this.#mapping.release();
  }

  /**
   * Gives the name up for everybody. Those who have the segment open keep using it, and can learn of it by {@link retired}; the
   * next opener makes a new one. Does nothing when it was given up before.
   *
   * @throws {@link ShmError} `ERR_SHM_ACCESS` when the folder does not allow it, `ERR_SHM_BUSY` when a stopped process is at it.
   */
  unlink(): void {
    this.assertWritable();
    this.#holdClosing();
    try {
      this.#retire();
    } finally {
      this.#releaseClosing();
    }
  }

  /**
   * Closes, and removes the segment if nobody else takes part in it any more.
   *
   * @returns whether it was removed.
   */
  closeAndRemoveIfLast(): boolean {
    if (this.#closed) return false;
    let removed = false;
    try {
      this.assertWritable();
      this.#holdClosing();
      try {
        if (!this.participants.hasOthers(this.participant)) {
          this.#retire();
          removed = true;
        }
      } finally {
        this.#releaseClosing();
      }
    } finally {
      this.close();
    }
    return removed;
  }

  #retire(): void {
    // From here on openers finish the job, should we be killed.
    store(this.words, RETIRED_WORD, 1);
    step('unlink: retired');
    if (!this.#isPublished()) return;
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      store(this.words, RETIRED_WORD, 0);
      throw systemError(`removing ${this.path}`, error);
    }
    step('unlink: unlinked');
    // Nobody will come for these any more. A bell of the dead that is overlooked here is found by cleanup().
    this.participants.removeBellsOfTheDead(dirname(this.path));
  }

  /** Whether the path still leads to this very file. Only who holds CLOSING can make it untrue (or a stranger's `rm`). */
  #isPublished(): boolean {
    const stat = lstatSync(this.path, { throwIfNoEntry: false });
    return stat !== undefined && stat.ino === this.#mapping.file.ino && stat.dev === this.#mapping.file.dev;
  }

  /** The same for who only asks: a path that cannot be followed any more does not lead here either. */
  #isReachable(): boolean {
    try {
      return this.#isPublished();
    } catch {
      return false;
    }
  }

  #holdClosing(): void {
    const { token } = this.participant;
    const start = performance.now();
    for (;;) {
      const holder = compareExchange(this.words, CLOSING_WORD, 0, token);
      if (holder === 0) return;
      if (this.#isGone(holder, start)) compareExchange(this.words, CLOSING_WORD, holder, 0);
    }
  }

  #releaseClosing(): void {
    compareExchange(this.words, CLOSING_WORD, this.participant.token, 0);
  }

  #awaitRemover(): void {
    const start = performance.now();
    for (;;) {
      const holder = load(this.words, CLOSING_WORD);
      if (holder === 0 || this.#isRetired() || this.#isGone(holder, start)) return;
    }
  }

  /** Whether the holder of CLOSING is dead; if not, naps, and throws when that has gone on for too long since `start`. */
  #isGone(holder: number, start: number): boolean {
    if (this.participants.isDead(holder)) return true;
    const liveness = this.participants.livenessOf(holder);
    const patienceMs = liveness === 'stopped' ? STOPPED_PATIENCE_MS : CLOSING_PATIENCE_MS;
    if (performance.now() - start >= patienceMs) throw this.#busy(holder);
    sleepSync(1);
    return false;
  }

  #busy(holder: number): ShmError {
    const info = this.participants.describe(holder);
    return new ShmError(
      'ERR_SHM_BUSY',
      `the segment ${this.name} is being removed by process ${info?.pid ?? '?'}, which is ${info?.liveness ?? 'gone'}`,
    );
  }

  #assertOpen(): void {
    if (this.#closed) throw new ShmError('ERR_SHM_CLOSED', `the segment ${this.name} is closed`);
  }
}
