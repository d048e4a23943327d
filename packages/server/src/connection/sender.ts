/**
 * The sending half of a connection: answers, which wait for the end of the turn, and the rule by which a dialect
 * delivers entries.
 *
 * The rule: what can be written is written until the socket holds unsent bytes, and then nothing until they are out.
 * So a peer that does not read costs its cursors, and a bounded amount of answers.
 */
import type { Slice } from '../log/byte-log.js';
import { isBehind, type Membership } from '../room/room.js';
import type { Peer } from '../session/peer.js';
import { AnswerBuffer } from './answer-buffer.js';
import type { ConnectionContext } from './context.js';
import type { InputGate } from './input-gate.js';
import type { Link } from './link.js';

export class Sender {
  readonly link: Link;
  readonly #context: Pick<ConnectionContext, 'options' | 'counters' | 'fanOut'>;
  readonly #gate: InputGate;
  readonly #peer: Peer;
  /** Undefined while no answer waits: an idle connection has none. */
  #answers: AnswerBuffer | undefined;
  #isBlocked = false;
  /** Answers that were written and are not out yet, at the most. */
  #unsentAnswers = 0;
  #onFlushed: (() => void) | undefined;
  /** The room that was served last when the session caught up. */
  #servedLast: Membership | undefined;

  /**
   * @param gate stops the input of a peer that does not read its answers
   * @param peer whose answers they are; its `flush` is called at the end of a turn that has some
   */
  constructor(
    context: Pick<ConnectionContext, 'options' | 'counters' | 'fanOut'>,
    link: Link,
    gate: InputGate,
    peer: Peer,
  ) {
    this.#context = context;
    this.link = link;
    this.#gate = gate;
    this.#peer = peer;
  }

  /** Whether the socket holds unsent bytes: everything waits for {@link Sender.unblock}. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Bytes of answers that wait for the peer. */
  get queuedBytes(): number {
    return (this.#answers?.length ?? 0) + this.#unsentAnswers;
  }

  /** Whether answers wait in memory. */
  get hasAnswers(): boolean {
    return this.#answers !== undefined;
  }

  /** Whether no more answers may wait. */
  get isFull(): boolean {
    return this.#isBlocked && this.queuedBytes > this.#context.options.maxQueuedBytes;
  }

  // ── answers ──

  /** Adds an answer; it goes out at the end of the turn. */
  answer(frame: Uint8Array): void {
    this.#waiting().add(frame);
    this.#answered();
  }

  /** Adds an answer whose end lies elsewhere: it is not copied. */
  answerParts(head: Uint8Array, rest: Buffer): void {
    this.#waiting().addParts(head, rest);
    this.#answered();
  }

  ack(publishId: number, seq: number, at: number, isWaiting = false): void {
    this.#waiting().addAck(publishId, seq, at, isWaiting);
    this.#answered();
  }

  /** Sends the answers of this turn. */
  flush(): void {
    if (this.#isBlocked || !this.#answers) return;
    this.writeAnswers();
    this.look();
  }

  /** Sends `answer` behind all others, whatever is unsent: nothing follows. */
  last(answer: Uint8Array): void {
    this.#waiting().add(answer);
    this.writeAnswers();
  }

  // ── entries ──

  /**
   * Sends what the session has not seen, as far as the socket takes it. It begins behind the room that was served last,
   * so that each has its turn before a peer that reads slowly.
   */
  catchUp(memberships: readonly Membership[]): void {
    const first = this.#servedLast ? memberships.indexOf(this.#servedLast) + 1 : 0;
    for (let i = 0; i < memberships.length && !this.#isBlocked; i++) {
      const membership = memberships[(first + i) % memberships.length]!;
      if (!isBehind(membership)) continue;
      this.#servedLast = membership;
      this.#peer.deliver(membership);
    }
  }

  /** Writes entries as they are. To be followed by {@link Sender.look}. */
  writeSlice(slice: Slice): void {
    const { counters } = this.#context;
    counters.slicesOut++;
    counters.entriesOut += slice.entries;
    counters.bytesOut += slice.bytes.length;
    if (this.link.writeSlice) this.link.writeSlice(slice);
    else this.link.write(slice.bytes);
  }

  /** Writes bytes that others may be sent, too. To be followed by {@link Sender.look}. */
  write(bytes: Buffer): void {
    this.#context.counters.bytesOut += bytes.length;
    this.link.write(bytes);
  }

  /** Writes the answers. To be followed by {@link Sender.look}. */
  writeAnswers(): void {
    const answers = this.#answers;
    if (!answers) return;
    this.#answers = undefined;
    this.#unsentAnswers = answers.length;
    for (const part of answers.takeParts()) {
      if (Buffer.isBuffer(part)) this.write(part);
      else this.#writeParts(part);
    }
  }

  /** Finds out whether all that was written is out. */
  look(): void {
    this.#isBlocked = this.link.unsentBytes > 0;
    if (!this.#isBlocked) this.#unsentAnswers = 0;
  }

  // ── the socket ──

  /** Resolves once what was unsent is out, or nothing will be any more. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
    });
  }

  /** The socket holds no unsent bytes any more. */
  unblock(): void {
    this.#isBlocked = false;
    this.#unsentAnswers = 0;
    this.flush();
    this.stop();
  }

  /** Ends the wait for {@link Sender.flushed}. */
  stop(): void {
    const waiting = this.#onFlushed;
    this.#onFlushed = undefined;
    waiting?.();
  }

  #waiting(): AnswerBuffer {
    this.#answers ??= new AnswerBuffer();
    return this.#answers;
  }

  #answered(): void {
    if (this.queuedBytes > this.#context.options.maxQueuedBytes) {
      // Not at the end of the turn but now: one chunk of requests may ask for any amount of answers.
      this.flush();
      // It sends and does not read: it may go on when it has read its answers.
      if (this.#isBlocked) this.#gate.block();
    }
    if (!this.#isBlocked) this.#context.fanOut.queueAnswers(this.#peer);
  }

  #writeParts(parts: readonly [Buffer, Buffer]): void {
    if (!this.link.writeParts) {
      this.write(Buffer.concat(parts));
      return;
    }
    this.#context.counters.bytesOut += parts[0].length + parts[1].length;
    this.link.writeParts(parts);
  }
}
