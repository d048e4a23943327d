/**
 * The entries of one room on their way to the listeners, and the proof that none is missing.
 *
 * Each entry names the one before it. So a stream that begins at a known position is complete as long as
 * every `prev` equals the last `seq`; where it does not, a gap is told in its place. Entries that come before
 * the first listener are held, within bounds, and given to it: a program that joins and subscribes a moment
 * later misses nothing. Bodies are decoded for listeners, and not before.
 */

import type { Codec } from '@chat/protocol';
import { MAX_MAX_FRAME_BYTES, readEntryHeader, readFrames } from '@chat/protocol/frames';
import { NOTICE, SENT } from '../connection/frame-types.js';
import { DEFAULT_MAX_QUEUED } from '../events/event-queue.js';
import {
  type DirectMessage,
  type EntryContext,
  type Gap,
  type Identity,
  type Message,
  type Notice,
  readMessage,
  readNotice,
  type UnreadableMessage,
} from './entry.js';

/** All that a stream can hold. */
export type StreamItem<T> = Message<T> | DirectMessage<T> | Notice | Gap | UnreadableMessage;

/** The owner of a stream: a room, or the client for its direct messages. */
export interface StreamOwner<T> {
  /** Whether {@link StreamOwner.onItem} would be heard by anybody. */
  isListening(): boolean;
  onItem(item: StreamItem<T>): void;
  /** Called for each notice at once, before anybody else sees it. */
  onNotice(notice: Notice): void;
}

/** A stream as the connection sees it. */
export interface EntrySink {
  readonly position: number;
  receive(type: number, bytes: Uint8Array, offset: number, length: number): void;
  gap(reason: Gap['reason'], from: number, to: number): void;
}

export interface EntryStreamOptions<T> {
  readonly identity: Identity;
  readonly room: string | undefined;
  readonly codec: Codec<T>;
  /** Whether what this session says is delivered to it. */
  readonly echo: boolean;
}

/**
 * The position from which a stream goes on: after `start`, and up to `head` with what is history when it
 * begins there.
 */
export interface Place {
  readonly handle: number;
  readonly start: number;
  readonly head: number;
}

/** Bytes of entries that are held for the first listener. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

interface HeldMessage {
  readonly type: 'held';
  readonly prev: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export class EntryStream<T> implements EntryContext<T>, EntrySink {
  readonly identity: Identity;
  readonly room: string | undefined;
  readonly codec: Codec<T>;
  readonly #echo: boolean;
  readonly #owner: StreamOwner<T>;
  /** Undefined from the first listener on. */
  #held: (HeldMessage | Notice | Gap)[] | undefined = [];
  #heldBytes = 0;
  #heldLoss: { readonly from: number; to: number } | undefined;

  /** The life of the log that `position` belongs to; undefined before the first session. */
  epoch: string | undefined;
  /** Number of the room in frames. */
  handle = 0;
  /** Last entry that was received, or skipped with a gap. */
  position = 0;
  historyUntil = 0;

  constructor({ identity, room, codec, echo }: EntryStreamOptions<T>, owner: StreamOwner<T>) {
    this.identity = identity;
    this.room = room;
    this.codec = codec;
    this.#echo = echo;
    this.#owner = owner;
  }

  /** Takes the entry frame at `offset`. @throws ProtocolError when it is malformed */
  receive(type: number, bytes: Uint8Array, offset: number, length: number): void {
    const end = offset + length;
    const header = readEntryHeader(bytes, offset, end);
    const { seq, prev } = header;
    if (seq <= this.position) return;
    if (prev !== this.position) {
      this.gap('hole', Math.min(prev, this.position), Math.max(prev, this.position));
    }
    this.position = seq;
    if (type === NOTICE && header.kind !== SENT) {
      const notice = readNotice(this, header, bytes, end);
      this.#owner.onNotice(notice);
      this.#deliver(notice);
    } else if ((type === NOTICE || !this.#echo) && this.identity.saysHere(header)) {
      return;
    } else if (this.#held !== undefined) {
      // A copy: what it came in with may be a thousand times its size, and be kept as long.
      this.#hold({ type: 'held', prev, seq, bytes: bytes.slice(offset, end) });
    } else if (this.#owner.isListening()) {
      this.#deliver(readMessage(this, header, bytes, end));
    }
  }

  /** Reads whole entry frames that came as history. @throws ProtocolError when they are malformed */
  readHistory(bytes: Uint8Array, take: (entry: Message<T> | UnreadableMessage | Notice) => void): void {
    const { identity, room, codec } = this;
    const context = { identity, room, codec, historyUntil: Infinity };
    // They came in one frame, which was not too large.
    readFrames(bytes, MAX_MAX_FRAME_BYTES, (type, offset, length) => {
      const end = offset + length;
      const read = type === NOTICE ? readNotice : readMessage;
      take(read(context, readEntryHeader(bytes, offset, end), bytes, end) as Message<T>);
    });
  }

  /** Tells that `from < seq <= to` will not come, and goes on after `to`. */
  gap(reason: Gap['reason'], from: number, to: number): void {
    this.position = to;
    this.#deliver({ type: 'gap', room: this.room, reason, from, to });
  }

  /**
   * Takes the place that it has in the log from now on; tells a gap where something may be missing.
   *
   * @param kept - whether what came while the connection was away is still in the log of this stream
   */
  comeBack({ handle, start, head }: Place, kept: boolean): void {
    const { epoch } = this.identity;
    this.handle = handle;
    if (this.epoch === undefined) {
      this.position = start;
      this.historyUntil = head;
    } else if (this.epoch !== epoch) {
      // All entries of a new log were missed, and are as new as those that were missed in the old one.
      this.historyUntil = 0;
      this.gap('epoch-changed', this.position, start);
    } else if (!kept) this.gap('session-gone', this.position, start);
    else if (start > this.position) this.gap('expired', this.position, start);
    this.epoch = epoch;
  }

  /** Gives what was held to the listeners, once the code that has just subscribed one is through. */
  release(): void {
    if (this.#held === undefined) return;
    queueMicrotask(() => {
      const held = this.#held;
      if (held === undefined) return;
      this.#held = undefined;
      if (this.#heldLoss) {
        this.#deliver({ type: 'gap', room: this.room, reason: 'overflow', ...this.#heldLoss });
      }
      for (const item of held) {
        this.#deliver(item.type === 'held' ? this.#readHeld(item) : item);
      }
    });
  }

  #readHeld({ bytes }: HeldMessage): StreamItem<T> {
    return readMessage(this, readEntryHeader(bytes, 0, bytes.length), bytes, bytes.length);
  }

  #deliver(item: StreamItem<T>): void {
    if (this.#held) {
      // Messages are held as bytes before they get here.
      this.#hold(item as Notice | Gap);
      return;
    }
    this.#owner.onItem(item);
  }

  /** Holds an entry. The oldest that do not fit any more become one gap, before all others. */
  #hold(item: HeldMessage | Notice | Gap): void {
    const held = this.#held!;
    held.push(item);
    this.#heldBytes += bytesOf(item);
    while (held.length > DEFAULT_MAX_QUEUED || this.#heldBytes > MAX_HELD_BYTES) {
      const lost = held.shift()!;
      this.#heldBytes -= bytesOf(lost);
      const { from, to } = lost.type === 'gap' ? lost : { from: lost.prev, to: lost.seq };
      this.#heldLoss ??= { from, to };
      this.#heldLoss.to = to;
    }
  }
}

function bytesOf(item: HeldMessage | Notice | Gap): number {
  return item.type === 'held' ? item.bytes.length : 0;
}
