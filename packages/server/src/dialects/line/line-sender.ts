/**
 * The sending half of a peer of the line dialect: entries of the log as pieces that it shares with others, and
 * answers, which wait for the end of the turn.
 *
 * What can be written is written until the socket holds unsent bytes, and then nothing until they are out. So a peer
 * that does not read holds a piece, and a bounded amount of answers.
 */

import { AnswerBuffer } from '../../connection/answer-buffer.js';
import type { Link } from '../../connection/link.js';
import type { LineCharset } from '../../options/line-charset.js';
import type { Membership, Room } from '../../room/room.js';
import type { LineContext } from './line-context.js';
import { directLines, type LineView } from './line-view.js';

export class LineSender {
  readonly #context: LineContext;
  readonly #link: Link;
  /** Undefined while no answer waits: an idle session has none. */
  #answers: AnswerBuffer | undefined;
  #isBlocked = false;
  /** The room that was read last, as lines. */
  #room: Room | undefined;
  #view: LineView | undefined;
  /** Answers that were written and are not out yet, at the most. */
  #unsentAnswers = 0;

  constructor(context: LineContext, link: Link) {
    this.#context = context;
    this.#link = link;
  }

  /** Whether the socket holds unsent bytes: everything waits for {@link LineSender.unblock}. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Bytes of answers that wait. */
  get waitingBytes(): number {
    return (this.#answers?.length ?? 0) + this.#unsentAnswers;
  }

  /** What was unsent is out. */
  unblock(): void {
    this.#isBlocked = false;
    this.#unsentAnswers = 0;
    this.flush();
  }

  /**
   * See `Peer`.
   *
   * @param charset of the reader; undefined for UTF-8
   */
  deliver(membership: Membership, charset: LineCharset | undefined): void {
    this.flush();
    for (;;) {
      if (membership.lagged) {
        membership.member.lagged(membership);
        return;
      }
      if (this.#isBlocked) return;
      const { chunk, offset } = membership;
      if (offset < chunk.used) this.#write(this.#next(membership, charset));
      else if (!chunk.next) return;
      else membership.moveTo({ chunk: chunk.next, offset: 0 });
    }
  }

  /** Adds an answer; it goes out with the next {@link LineSender.flush}. */
  add(answer: Uint8Array): void {
    this.#answers ??= new AnswerBuffer();
    this.#answers.add(answer);
  }

  /** Sends the answers. */
  flush(): void {
    if (this.#isBlocked || !this.#answers) return;
    const answers = this.#takeAnswers(this.#answers);
    this.#write(answers);
    this.#unsentAnswers = this.#isBlocked ? answers.length : 0;
  }

  /** Sends `answer` behind all others, whatever is unsent: nothing follows. */
  last(answer: Uint8Array): void {
    this.add(answer);
    if (this.#answers) this.#write(this.#takeAnswers(this.#answers));
  }

  #takeAnswers(answers: AnswerBuffer): Buffer {
    this.#answers = undefined;
    return answers.take();
  }

  /** Moves the cursor over what one write may have, and answers its lines. */
  #next(membership: Membership, charset: LineCharset | undefined): Buffer {
    const { room, member, chunk, offset } = membership;
    const { counters, options } = this.#context;
    counters.slicesOut++;
    if (room.name === '') {
      counters.entriesOut++;
      membership.offset = offset + chunk.bytes.readUInt32LE(offset);
      const lines = directLines(chunk, offset, options.maxLinesPerMessage);
      return charset?.encode(lines) ?? Buffer.from(lines);
    }
    if (room !== this.#room) {
      this.#room = room;
      this.#view = this.#context.viewOf(room);
    }
    const piece = this.#view!.piece(chunk, offset, member.memberId);
    membership.offset = piece.to;
    const bytes = piece.bytesFor(member.memberId, charset);
    // A piece of nothing but its own lines is not given to the reader.
    if (bytes.length > 0) counters.entriesOut += piece.entries;
    return bytes;
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#context.counters.bytesOut += bytes.length;
    this.#link.write(bytes);
    this.#isBlocked = this.#link.unsentBytes > 0;
  }
}
