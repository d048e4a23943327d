/**
 * The sending half of a binary peer: entries of the log as the slices that they already are, and answers, which
 * wait for the end of the turn.
 *
 * One rule stands above all: what can be written is written until the socket really holds unsent bytes, and then
 * nothing until they are out. So a peer that does not read costs its cursor, and a bounded amount of answers.
 */

import { AnswerBuffer } from '../../connection/answer-buffer.js';
import type { ConnectionContext } from '../../connection/context.js';
import type { InputGate } from '../../connection/input-gate.js';
import type { Link } from '../../connection/link.js';
import { isBehind, type Membership } from '../../room/room.js';
import type { Peer } from '../../session/peer.js';
import type { HistoryFrame } from './requests.js';

/** Catch-up behind a cork is collected in memory, so it goes in portions of about this size. */
const CORKED_BYTES = 262_144;

export class FrameSender {
  readonly #context: ConnectionContext;
  readonly #link: Link;
  readonly #input: InputGate;
  readonly #peer: Peer;
  readonly #answers = new AnswerBuffer();
  #blocked = false;
  /** Answers that were written and are not out yet, at the most. */
  #unsentAnswers = 0;
  #onFlushed: (() => void) | undefined;
  /** What was sent last of what the session had not seen. */
  #servedLast: Membership | undefined;

  /** @param peer whose answers they are; its `flush` is called at the end of a turn that has some */
  constructor(context: ConnectionContext, link: Link, input: InputGate, peer: Peer) {
    this.#context = context;
    this.#link = link;
    this.#input = input;
    this.#peer = peer;
  }

  /** Whether the socket holds unsent bytes: everything waits for {@link FrameSender.unblock}. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Bytes of answers that wait for the peer. */
  get queuedBytes(): number {
    return this.#answers.length + this.#unsentAnswers;
  }

  /** Whether no more answers may wait. */
  get isFull(): boolean {
    return this.#blocked && this.queuedBytes > this.#context.options.maxQueuedBytes;
  }

  /** Resolves once what was unsent is out, or nothing will be any more. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
    });
  }

  /** What was unsent is out. */
  unblock(): void {
    this.#blocked = false;
    this.#unsentAnswers = 0;
    this.flush();
    this.stop();
  }

  /** Nobody is to wait any longer. */
  stop(): void {
    const waiting = this.#onFlushed;
    this.#onFlushed = undefined;
    waiting?.();
  }

  /** See `Peer`. */
  deliver(membership: Membership): void {
    if (this.#blocked) {
      if (membership.lagged) membership.member.lagged(membership);
      return;
    }
    const link = this.#link;
    const corked = this.#answers.length > 0;
    if (corked) {
      link.cork();
      this.#writeAnswers();
    }
    let { chunk } = membership;
    for (;;) {
      if (membership.lagged) {
        membership.member.lagged(membership);
        break;
      }
      if (membership.offset < chunk.used) {
        const { log } = membership.room;
        const slice = log.slice(chunk, membership.offset);
        membership.offset = chunk.used;
        this.#context.counters.slicesOut++;
        this.#context.counters.entriesOut += log.sliceEntries;
        this.#write(slice);
        // Stop only when the socket really holds unsent bytes: then, and only then, `onFlushed` follows.
        if (!corked && link.unsentBytes > 0) break;
      }
      if (!chunk.next || (corked && link.unsentBytes > CORKED_BYTES)) break;
      chunk = chunk.next;
      membership.chunk = chunk;
      membership.offset = 0;
    }
    if (corked) link.uncork();
    this.#blocked = link.unsentBytes > 0;
    if (!this.#blocked) this.#unsentAnswers = 0;
    // The portion behind the cork went out at once: go on without one.
    if (corked && !this.#blocked && isBehind(membership)) this.deliver(membership);
  }

  /**
   * Sends what the session has not seen, as far as the socket takes it. It begins behind the room that was served last,
   * so that each has its turn before a peer that reads slowly.
   */
  catchUp(memberships: readonly Membership[]): void {
    const first = this.#servedLast ? memberships.indexOf(this.#servedLast) + 1 : 0;
    for (let i = 0; i < memberships.length && !this.#blocked; i++) {
      const membership = memberships[(first + i) % memberships.length]!;
      if (isBehind(membership)) this.#servedLast = membership;
      this.deliver(membership);
    }
  }

  /** Sends the answers of this turn. */
  flush(): void {
    if (this.#blocked || this.#answers.length === 0) return;
    this.#writeAnswers();
    this.#blocked = this.#link.unsentBytes > 0;
    if (!this.#blocked) this.#unsentAnswers = 0;
  }

  /** Adds an answer; it goes out at the end of the turn. */
  answer(frame: Uint8Array): void {
    this.#answers.add(frame);
    this.#answered();
  }

  /** Adds a page of history, whose entries stay in the log until they are out. */
  page({ head, entries }: HistoryFrame): void {
    this.#answers.addParts(head, entries);
    this.#answered();
  }

  ack(publishId: number, seq: number, at: number): void {
    this.#answers.addAck(publishId, seq, at);
    this.#answered();
  }

  /** Sends `frame` behind all answers, whatever is unsent: nothing follows. */
  last(frame: Uint8Array): void {
    this.#answers.add(frame);
    this.#writeAnswers();
  }

  #answered(): void {
    if (this.queuedBytes > this.#context.options.maxQueuedBytes) {
      // Not at the end of the turn but now: one chunk of requests may ask for any amount of answers.
      this.flush();
      // It sends and does not read: it may go on when it has read its answers.
      if (this.#blocked) this.#input.block();
    }
    if (!this.#blocked) this.#context.fanOut.queueAnswers(this.#peer);
  }

  #writeAnswers(): void {
    this.#unsentAnswers = this.#answers.length;
    for (const part of this.#answers.takeParts()) {
      if (Buffer.isBuffer(part)) this.#write(part);
      else this.#writeParts(part);
    }
  }

  #writeParts(parts: readonly [Buffer, Buffer]): void {
    const link = this.#link;
    if (!link.writeParts) {
      this.#write(Buffer.concat(parts));
      return;
    }
    this.#context.counters.bytesOut += parts[0].length + parts[1].length;
    link.writeParts(parts);
  }

  #write(bytes: Buffer): void {
    this.#context.counters.bytesOut += bytes.length;
    this.#link.write(bytes);
  }
}
