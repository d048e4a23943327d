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
import { personOf } from '../log/state/rules.js';
import type { ResolvedOptions } from '../options/options.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import { correct } from './correct.js';
import type { FanOut } from './fan-out.js';
import type { Room } from './room.js';
import type { Rooms } from './rooms.js';
import { sendSignal } from './send-signal.js';

/** What entries bring about behind the rooms: where sessions are known. None of it may throw. */
export interface OutcomeListener {
  /** The inbox of a user, made if need be; `undefined` when the user is gone. */
  inboxOf(user: number): Room | undefined;
  /** Something happened to sessions, or to a process. */
  happened(outcome: Outcome, entry: LogEntry, from: number): void;
  /** Another process has published something. */
  published(entry: ShownEntry): void;
}

/** What applying entries needs of the server. */
export interface ApplyContext {
  readonly options: ResolvedOptions;
  readonly log: { readonly process?: number };
  readonly rooms: Rooms;
  readonly fanOut: FanOut;
  readonly bans: Bans;
  readonly wheel: TimerWheel;
}

export class EntryApplier {
  readonly #context: ApplyContext;
  readonly #state: ChatState;
  readonly #listener: OutcomeListener;
  /** The number of this process. */
  readonly #self: number;
  /** Told of each entry once it is in the state, before anybody else. Must not throw. */
  onApplied: ((entry: LogEntry, outcome: Outcome) => void) | undefined;
  #applying = false;
  /** Entries that came while another one took effect. */
  #behind: { readonly entry: LogEntry; readonly from: number }[] = [];

  /** @param state changed by each entry */
  constructor(context: ApplyContext, state: ChatState, listener: OutcomeListener) {
    this.#state = state;
    this.#context = context;
    this.#listener = listener;
    this.#self = context.log.process ?? 0;
  }

  /**
   * Entries take effect one after the other. One that another brings about, as when a reader that is too slow is
   * closed, waits until that one is through: each is told to its origin while it is the newest of its room.
   *
   * @param from the process that appended it
   */
  apply(entry: LogEntry, from: number): void {
    if (this.#applying) {
      // Borrowed for the call.
      this.#behind.push({ entry: { ...entry, body: Uint8Array.from(entry.body) }, from });
      return;
    }
    this.#applying = true;
    try {
      this.#takeEffect(entry, from);
      for (let next = this.#behind.shift(); next; next = this.#behind.shift()) {
        this.#takeEffect(next.entry, next.from);
      }
    } finally {
      this.#applying = false;
    }
  }

  #takeEffect(entry: LogEntry, from: number): void {
    const outcome = applyEntry(this.#state, entry, from);
    this.onApplied?.(entry, outcome);
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
        this.#listener.happened(outcome, entry, from);
        break;
      case 'corrected':
        correct(this.#context.rooms.byKey(entry.room), outcome);
        if (isShown(entry)) this.#show(entry, outcome, from);
        return;
      case 'shown':
      case 'joined':
      case 'left':
        if (isShown(entry)) this.#show(entry, outcome, from);
        return;
      case 'signal':
        if (from !== this.#self) this.#passOn(entry);
        return;
      case 'void':
      case 'repeated':
      case 'barrier':
      case 'also-joined':
      case 'also-left':
        break;
      case 'session-ended':
      case 'session-kicked':
        for (const { key } of outcome.rooms) {
          const room = this.#context.rooms.byKey(key);
          if (room) this.#context.rooms.release(room);
        }
        this.#listener.happened(outcome, entry, from);
        break;
      default:
        this.#listener.happened(outcome, entry, from);
    }
    entry.origin?.appended(entry, outcome);
  }

  /** Sends a signal of a member at another process to those who are here. */
  #passOn({ room: key, sender, name, codec, body }: LogEntry): void {
    const room = this.#context.rooms.byKey(key);
    if (room) sendSignal(room, sender, new TextDecoder().decode(name), codec, body);
  }

  #show(entry: ShownEntry, outcome: Outcome, from: number): void {
    const { rooms, fanOut, options } = this.#context;
    const member = inboxMember(entry.room);
    const room = member === undefined ? rooms.byKey(entry.room) : this.#listener.inboxOf(member);
    if (from !== this.#self) {
      if (entry.publishId > 0) this.#listener.published(entry);
      // Nobody else looks whether it was the last member.
      else if (outcome.kind === 'left' && room) rooms.release(room);
    }
    if (!room) {
      // The reader of the inbox, or the last member of the room, left meanwhile: accepted, and read by nobody.
      if (member === undefined) rooms.missed(entry.seq);
      entry.origin?.appended(entry, outcome);
      return;
    }
    room.log.append(entry, this.#sinceOf(entry));
    if (from !== this.#self) this.#keepPace(room, entry);
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

  /** In a room with a slow mode it counts what was said at other processes as well. */
  #keepPace(room: Room, { type, sender }: ShownEntry): void {
    if (type !== FrameType.Message || !this.#state.rules.settings(room.key).slowMs) return;
    const session = this.#state.sessions.get(sender);
    if (session) room.pace.note(personOf(session), this.#context.wheel.now);
  }

  /** Monotonic time at which the entry began to be old. */
  #sinceOf({ origin, at }: LogEntry): number {
    const { now } = this.#context.wheel;
    // Of this process and this moment; others may come from elsewhere, or from long ago.
    return origin ? now : now - Math.max(0, this.#context.options.clock.now() - at);
  }
}
