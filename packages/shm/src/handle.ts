/**
 * What every open structure is, whatever it holds: a handle on a segment with a name, which can be closed, given up and waited for.
 *
 * The segment itself is private to its structure, so that nobody can pull the memory from under it. Closing goes in one order for all:
 * nobody may use the handle any more, the structure leaves (roles, queues), all who wait are woken, the memory is let go.
 */
import { EventEmitter } from 'node:events';
import { ShmError } from './errors.js';
import { tell } from './platform/diagnostics.js';
import type { ParticipantInfo } from './segment/participants.js';
import type { Segment } from './segment/segment.js';
import { Waiting } from './waiting/waiting.js';

/** How often a handle looks whether its name still leads to it. */
const NAME_LOOK_MS = 900;

/** Events of every handle. */
export interface HandleEvents {
  /**
   * The name was given up, or its file removed: whoever opens the name now gets another segment, and this one serves those who have it.
   * Told to a handle that waits, or has a listener, within about a second.
   */
  retired: [];
  /** This handle was closed. */
  close: [];
}

/** Where a structure lies. */
export interface SegmentInfo {
  /** The name under which it was opened. */
  readonly name: string;
  /** The file. */
  readonly path: string;
  /** Names one life of the name: another number after the segment was removed and made anew. */
  readonly incarnation: number;
  /** Whether this handle made it. */
  readonly created: boolean;
  /** Whether the name was given up, or its file removed: see {@link HandleEvents.retired}. */
  readonly retired: boolean;
  /** Gives the name up for everybody; the next opener makes a new segment. */
  unlink(): void;
}

/** An open structure. */
export abstract class Handle<Events extends Record<keyof Events, unknown[]> = HandleEvents>
  extends EventEmitter<Events>
  implements SegmentInfo
{
  readonly name: string;
  readonly path: string;
  readonly incarnation: number;
  readonly created: boolean;
  /** @internal */
  protected readonly waiting: Waiting;
  readonly #segment: Segment;
  readonly #what: string;
  #closed = false;
  #toldRetired = false;
  #nameLookAt = 0;

  /** `what` names the structure in messages, for example `channel`. @internal */
  constructor(segment: Segment, what: string) {
    super();
    this.#segment = segment;
    this.#what = what;
    const { name, path, incarnation, created } = segment;
    this.name = name;
    this.path = path;
    this.incarnation = incarnation;
    this.created = created;
    tell('open', () => ({ kind: what, name, path, created }));
    this.waiting = new Waiting(segment, {
      rung: () => this.onRung(),
      look: (closedBell) => {
        this.onLook(closedBell);
        if (!this.#closed) this.#lookAtName();
      },
    });
  }

  /** Whether the name was given up, or its file removed. Looks at the file each time. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get retired(): boolean {
    return this.#segment.retired;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Where it lies: the same as this handle says of itself. */
  get segment(): SegmentInfo {
    return this;
  }

  /** This handle among the participants. @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED` */
  get participant(): ParticipantInfo {
    this.assertOpen();
    this.#segment.assertWritable();
    const { token } = this.#segment.participant;
    return this.#segment.participants.describe(token) as ParticipantInfo;
  }

  /** Everybody who has it open for writing, in all processes, the dead included. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  participants(): ParticipantInfo[] {
    this.assertOpen();
    return this.#segment.participants.list();
  }

  /**
   * Gives the name up for everybody. Those who have it open keep using it, and are told by the event `retired`; the next opener makes a new
   * one. Does nothing when it was given up before.
   *
   * @throws {@link ShmError} `ERR_SHM_ACCESS` when the folder does not allow it, `ERR_SHM_BUSY` when a stopped process is at it,
   * `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  unlink(): void {
    this.assertOpen();
    this.#segment.unlink();
  }

  /** Keeps the process alive while it is open. */
  ref(): this {
    this.assertOpen();
    this.waiting.ref();
    return this;
  }

  /** Lets the process end although it is open, as at first. */
  unref(): this {
    this.waiting.unref();
    return this;
  }

  /** Lets go of it. What is in it stays for others. Idempotent. Views taken earlier read zeros from now on. */
  close(): void {
    if (this.#end()) this.finish();
  }

  /**
   * Closes, and removes it with all that is in it if nobody else has it open.
   *
   * @returns whether it was removed.
   * @throws {@link ShmError} `ERR_SHM_BUSY` when a stopped process is removing it; `ERR_SHM_READ_ONLY`
   */
  closeAndRemoveIfLast(): boolean {
    if (!this.#end()) return false;
    this.waiting.close();
    return this.#segment.closeAndRemoveIfLast();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Gives up what the structure has beside its memory. Called once, when the handle is closed already. @internal */
  protected leave(): void {}

  /** Whether the memory is still needed though the handle is closed: then {@link finish} is to be called later. @internal */
  protected get lingers(): boolean {
    return false;
  }

  /** Looks at what changes with a ring. @internal */
  protected onRung(): void {}

  /** Looks at what may have changed unheard. @internal */
  protected onLook(_closedBell: number | undefined): void {}

  /** Lets go of the memory. @internal */
  protected finish(): void {
    if (this.lingers) return;
    this.waiting.close();
    this.#segment.close();
  }

  /** @internal */
  protected assertOpen(): void {
    if (this.#closed || this.#segment.closed) throw this.closedError();
  }

  /** @internal */
  protected closedError(): ShmError {
    return new ShmError('ERR_SHM_CLOSED', `the ${this.#what} ${this.name} is closed`);
  }

  #end(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.leave();
    tell('close', () => ({ kind: this.#what, name: this.name, path: this.path }));
    (this as EventEmitter).emit('close');
    return true;
  }

  #lookAtName(): void {
    const now = performance.now();
    if (this.#toldRetired || now < this.#nameLookAt) return;
    this.#nameLookAt = now + NAME_LOOK_MS;
    if (!this.#segment.retiredMeanwhile) return;
    this.#toldRetired = true;
    (this as EventEmitter).emit('retired');
  }
}

/** Makes the handle on `segment`, which is closed again if that fails. */
export function handleOn<H extends { ref(): H }>(
  segment: Segment,
  keepAlive: boolean,
  make: (segment: Segment) => H,
): H {
  try {
    const handle = make(segment);
    return keepAlive ? handle.ref() : handle;
  } catch (error) {
    segment.close();
    throw error;
  }
}
