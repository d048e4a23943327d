/**
 * Where entries take effect: each one that comes back from the log is put into its room, told to its origin, and
 * marked for fan-out. Nothing else changes what a room holds.
 */
import { entryBytes, FrameType } from '@chat/protocol/frames';
import type { Bans } from '../limits/bans.js';
import { inboxMember, isShown, type LogEntry, type ShownEntry } from '../log/entry.js';
import { applyEntry } from '../log/state/apply-entry.js';
import type { ChatState } from '../log/state/chat-state.js';
import type { Outcome } from '../log/state/outcome.js';
import type { ResolvedOptions } from '../options/options.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { FanOut } from './fan-out.js';
import type { Room } from './room.js';
import type { Rooms } from './rooms.js';

/** What applying entries needs of the server. */
export interface ApplyContext {
  readonly options: ResolvedOptions;
  readonly rooms: Rooms;
  readonly fanOut: FanOut;
  readonly bans: Bans;
  readonly wheel: TimerWheel;
}

export class EntryApplier {
  readonly #context: ApplyContext;
  readonly #state: ChatState;
  readonly #inboxOf: (member: number) => Room | undefined;
  #applying = false;
  /** Entries that came while another one took effect. */
  #behind: LogEntry[] = [];

  /**
   * @param state changed by each entry
   * @param inboxOf the inbox of a member, made if need be; `undefined` when the member is gone
   */
  constructor(context: ApplyContext, state: ChatState, inboxOf: (member: number) => Room | undefined) {
    this.#state = state;
    this.#context = context;
    this.#inboxOf = inboxOf;
  }

  /**
   * Entries take effect one after the other. One that another brings about, as when a reader that is too slow is
   * closed, waits until that one is through: each is told to its origin while it is the newest of its room.
   */
  apply(entry: LogEntry): void {
    if (this.#applying) {
      // Borrowed for the call.
      this.#behind.push({ ...entry, body: Uint8Array.from(entry.body) });
      return;
    }
    this.#applying = true;
    try {
      this.#takeEffect(entry);
      for (let next = this.#behind.shift(); next; next = this.#behind.shift()) this.#takeEffect(next);
    } finally {
      this.#applying = false;
    }
  }

  #takeEffect(entry: LogEntry): void {
    const outcome = applyEntry(this.#state, entry);
    switch (outcome.kind) {
      case 'room-opened':
        this.#context.rooms.opened(outcome.room);
        break;
      case 'room-forgotten':
        this.#context.rooms.forgotten(outcome.room.key);
        break;
      case 'banned':
      case 'unbanned':
        this.#context.bans.changed(this.#state.bans, outcome.keys, this.#context.options.clock);
        break;
      case 'shown':
      case 'joined':
      case 'left':
        if (isShown(entry)) this.#show(entry, outcome);
        return;
    }
    entry.origin?.appended(entry, outcome);
  }

  #show(entry: ShownEntry, outcome: Outcome): void {
    const { rooms, fanOut, options } = this.#context;
    const member = inboxMember(entry.room);
    const room = member === undefined ? rooms.byKey(entry.room) : this.#inboxOf(member);
    if (!room) {
      // The reader of the inbox, or the last member of the room, left meanwhile: accepted, and read by nobody.
      if (member === undefined) rooms.missed(entry.seq);
      entry.origin?.appended(entry, outcome);
      return;
    }
    room.log.append(entry, this.#sinceOf(entry));
    room.unsentBytes += entryBytes(entry.name.length, entry.body.length);
    room.unsentEntries++;
    const isFull = rooms.isFull;
    if (room.isFilling || isFull) {
      // The entry takes effect before it is read: a member that leaves is not to be sent its own notice.
      entry.origin?.appended(entry, outcome);
      fanOut.markDirty(room);
      if (isFull) {
        fanOut.flushAll();
        rooms.shrink(room);
      } else fanOut.flush();
      return;
    }
    if (entry.type === FrameType.Notice && room.members.size > options.presenceDelayMembers) {
      fanOut.markDirtyLater(room, options.presenceDelayMs);
    } else {
      fanOut.markDirty(room);
    }
    entry.origin?.appended(entry, outcome);
  }

  /** Monotonic time at which the entry began to be old. */
  #sinceOf({ origin, at }: LogEntry): number {
    const { now } = this.#context.wheel;
    // Of this process and this moment; others may come from elsewhere, or from long ago.
    return origin ? now : now - Math.max(0, this.#context.options.clock.now() - at);
  }
}
