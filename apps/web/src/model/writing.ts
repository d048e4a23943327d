/**
 * The words of the user: own messages, and the signal that they are being written.
 */
import type { Conversation } from './conversation.js';

export class Writing {
  /** The conversation in which the user is writing. */
  #where: Conversation['timeline'] | undefined;
  readonly #onFailed: (conversation: Conversation, error: unknown) => void;

  /** @param onFailed - told when a message is not in the log, and why */
  constructor(onFailed: (conversation: Conversation, error: unknown) => void) {
    this.#onFailed = onFailed;
  }

  /** Says something in a conversation. */
  send(conversation: Conversation, text: string): void {
    const reply = conversation.answering?.seq;
    conversation.answering = undefined;
    void conversation.timeline.send(text, { reply }).then((isSent) => this.#sent(conversation, isSent));
  }

  /** Says again what failed. */
  retry(conversation: Conversation, key: string): void {
    void conversation.timeline.retry(key).then((isSent) => this.#sent(conversation, isSent));
  }

  /** Gives up what failed. */
  discard(conversation: Conversation, key: string): void {
    conversation.timeline.discard(key);
  }

  /** Tells the others that something is being written, or no more. */
  type({ timeline }: Conversation, isWriting: boolean): void {
    if (isWriting && this.#where !== timeline) this.#where?.typing(false);
    this.#where = isWriting ? timeline : undefined;
    timeline.typing(isWriting);
  }

  /** The connection is over: there is nobody to be told. */
  clear(): void {
    this.#where = undefined;
  }

  #sent(conversation: Conversation, isSent: boolean): void {
    if (isSent) return;
    const failed = conversation.timeline.snapshot.outgoing.findLast(({ status }) => status === 'failed');
    if (failed) this.#onFailed(conversation, failed.error);
  }
}
