/**
 * A channel: two processes send each other messages, both ways, through shared memory; either may come first, leave, die and
 * come again.
 *
 * It is two rings (see `ring/pipe.ts`). While both sides are busy a message costs what it costs in a ring, and no system call;
 * a side with nothing to do sleeps in its event loop and is rung for. Each of the two sides, `a` and `b`, is a word that names
 * its holder, who writes one ring and reads the other. A holder proven dead is replaced by whoever opens that side next, and he
 * goes on where it stopped.
 *
 * What can be promised about messages when processes are killed, honestly:
 *
 *     sent      `send` resolved, or `trySend` returned true: the message is in shared memory, and survives the sender.
 *     lost      never, as long as the segment lives: what nobody has read waits for a reader, this one or the next.
 *     torn      never: a message is seen whole or not at all.
 *     twice     at least once is the rule: a message counts as read when it was done with. `for await` is done with a message when it
 *               asks for the next one; the message at hand comes again when the loop is left by an error or `break`, or its process
 *               is killed. That is one message at most. A receiver whose effects must happen once keeps the number of the
 *               last message with its effects.
 */

import { ShmError } from '../errors.js';
import { type HandleEvents, handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load, store } from '../platform/atomics.js';
import { tell } from '../platform/diagnostics.js';
import { DEFAULT_CAPACITY_BYTES } from '../record/layout.js';
import { type RecordOptions, recordSpec } from '../record/options.js';
import { Pipe } from '../ring/pipe.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { claimRole, Role, releaseRole } from '../segment/participants.js';
import { Segment } from '../segment/segment.js';
import { type PeerState, PeerWatch } from '../waiting/peer-watch.js';
import { channelBytes, FAREWELL_WORD, ringWord, SIDE_WORD } from './layout.js';

/** One of the two ends of a channel. */
export type ChannelSide = 'a' | 'b';

/** Options of {@link openChannel}. */
export interface ChannelOptions<T = Uint8Array> extends RecordOptions<T> {
  /**
   * Which end to be. Name it where a restarted process must go on where the dead one stopped.
   * @defaultValue `a` if nobody has it, else `b`
   */
  readonly side?: ChannelSide;
}

/** Events of a {@link Channel}, each with the process id of the peer. */
export interface ChannelEvents extends HandleEvents {
  /** Somebody has the other side. */
  'peer-attached': [pid: number];
  /** The other side was closed. */
  'peer-left': [pid: number];
  /** The process on the other side is dead. */
  'peer-died': [pid: number];
}

/** What the two sides sleep for, as bits. */
const READABLE_BIT = { a: 4, b: 16 } as const;
const WRITABLE_BIT = { a: 8, b: 32 } as const;

/**
 * One end of a channel. Made by {@link openChannel}.
 *
 * To close it gives its side up, and tells the other. What was sent waits to be read; what was not read waits for the next holder of the
 * side. Loops over the messages end, waiting {@link Pipe.send}s are refused.
 */
export class Channel<T = Uint8Array> extends Pipe<T, ChannelEvents> {
  /** Which end this is. */
  readonly side: ChannelSide;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #sideWord: number;
  readonly #farewellWord: number;
  readonly #peerWord: number;
  readonly #peer: PeerWatch;

  /** @internal */
  constructor(segment: Segment, side: ChannelSide, options: ChannelOptions<T> = {}) {
    const [capacityBytes = 0] = segment.params;
    const base = segment.payloadOffset / WORD_BYTES;
    const other = side === 'a' ? 'b' : 'a';
    const place = {
      out: base + ringWord(side, capacityBytes),
      incoming: base + ringWord(other, capacityBytes),
      readable: READABLE_BIT[side],
      writable: WRITABLE_BIT[side],
      peerReadable: READABLE_BIT[other],
      peerWritable: WRITABLE_BIT[other],
    };
    super(segment, 'channel', place, options);
    const { words } = segment;
    this.side = side;
    this.#segment = segment;
    this.#words = words;
    this.#sideWord = base + SIDE_WORD[side];
    this.#farewellWord = base + FAREWELL_WORD[side];
    this.#peerWord = base + SIDE_WORD[other];
    this.openEnds();
    this.#peer = new PeerWatch(segment, {
      sideWord: this.#peerWord,
      farewellWord: base + FAREWELL_WORD[other],
      waiting: this.waiting,
      onChange: (peer) => this.#peerChanged(peer),
    });
    this.waiting.begin();
    this.#peer.check();
    // "I am here", to whoever has the other side.
    this.waiting.ringSlot(segment.participants.slotOf(load(words, this.#peerWord)));
    const found = this.#peer.state;
    // Nobody could listen yet; who is there already is news all the same.
    setImmediate(() => {
      if (!this.closed && this.#peer.state === found) this.#peerChanged(found);
    }).unref();
  }

  /** The other side, as it was last seen: at once when it comes or leaves, within a second when it dies. */
  get peer(): PeerState {
    return this.#peer.state;
  }

  /** @internal */
  protected override leave(): void {
    super.leave();
    const { participant } = this.#segment;
    // publish: the farewell, before the side is free. pairs with: PeerWatch.#gone
    store(this.#words, this.#farewellWord, participant.token);
    releaseRole(this.#words, this.#sideWord, participant);
    this.#peer.close();
    this.waiting.ringSlot(this.#segment.participants.slotOf(load(this.#words, this.#peerWord)));
  }

  /** @internal */
  protected override onRung(): void {
    this.#peer.hear();
  }

  /** @internal */
  protected override onLook(closedBell: number | undefined): void {
    this.#peer.check(closedBell);
  }

  /** @internal */
  protected override get peerIsGone(): boolean {
    const { state } = this.#peer.state;
    return state === 'left' || state === 'died';
  }

  #peerChanged(peer: PeerState): void {
    // One look may see two changes, and a listener may have closed the channel at the first one.
    if (this.closed) return;
    this.waiting.look();
    if (peer.state === 'attached') this.emit('peer-attached', peer.pid);
    else if (peer.state === 'left') this.emit('peer-left', peer.pid);
    else if (peer.state === 'died') {
      tell('peer-died', () => ({ name: this.name, pid: peer.pid }));
      this.emit('peer-died', peer.pid);
    }
  }
}

/**
 * Opens one side of the channel called `name`, or makes the channel.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while the side, or both of them, are held by somebody not proven dead; and as every
 * opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openChannel } from '@chat/shm';
 *
 * // Usually in two processes.
 * using left = openChannel('greetings', { side: 'a' });
 * const right = openChannel('greetings', { side: 'b' });
 * await left.send(new TextEncoder().encode('hello'));
 * for await (const message of right) {
 *   assert.equal(new TextDecoder().decode(message), 'hello');
 *   break;
 * }
 * left.close();
 * right.closeAndRemoveIfLast();
 * ```
 */
export function openChannel<T = Uint8Array>(name: string, options: ChannelOptions<T> = {}): Channel<T> {
  assertOptions(options, 'openChannel');
  const { side, keepAlive = false } = options;
  const spec = recordSpec(SegmentKind.Channel, options, DEFAULT_CAPACITY_BYTES, channelBytes);
  if (side !== undefined && side !== 'a' && side !== 'b') {
    throw new TypeError(`side is 'a' or 'b', not ${JSON.stringify(side)}`);
  }
  const segment = Segment.open(spec, name, options, Role.Both);
  return handleOn(segment, keepAlive, () => new Channel<T>(segment, claimSide(segment, side), options));
}

function claimSide(segment: Segment, side: ChannelSide | undefined): ChannelSide {
  const { words, participant, participants } = segment;
  const base = segment.payloadOffset / WORD_BYTES;
  const claim = (wanted: ChannelSide): ChannelSide => {
    claimRole(words, base + SIDE_WORD[wanted], participant, participants, `side ${wanted}`);
    return wanted;
  };
  if (side !== undefined) return claim(side);
  try {
    return claim('a');
  } catch (error) {
    if (!ShmError.is(error) || error.code !== 'ERR_SHM_ROLE_TAKEN') throw error;
    return claim('b');
  }
}
