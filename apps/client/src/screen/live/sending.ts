/**
 * Sends for the user: one message, pasted lines in their order, and failed messages again.
 *
 * The timeline shows messages on their way and waits out rate limits. This file keeps the order, and knows
 * when all of them have an outcome.
 */
import { ACTION_PREFIX } from '@chat/client/timeline';
import { type Note, note } from '../rows/note.js';
import type { Conversations, ScreenTimeline } from './conversations.js';

/** The part of the screen that {@link Sending} needs. */
export interface SendingOptions {
  readonly conversations: Conversations;
  /** Shows a note in a conversation: in the present one, without a key. */
  readonly say: (key: string | undefined, note: Note) => void;
}

export class Sending {
  readonly #options: SendingOptions;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** Resolved when every message that is under way now has an outcome. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Sends one message. @param action - whether it says what the user does */
  send(key: string | undefined, text: string, action = false): void {
    const timeline = this.#timeline(key);
    if (timeline) this.#track(timeline.send(action ? ACTION_PREFIX + text : text));
  }

  /** Sends messages one after the other, so that they stand in this order; the first that fails ends it. */
  sendLines(key: string | undefined, lines: readonly string[]): void {
    const timeline = this.#timeline(key);
    const said = lines.filter((line) => line.trim() !== '');
    if (timeline) this.#track(this.#sendLines(key, timeline, said));
  }

  /** Sends again what failed in a conversation. */
  retry(key: string | undefined): void {
    const timeline = this.#failed(key).length > 0 ? this.#timeline(key) : undefined;
    if (timeline) this.#track(this.#retry(timeline, this.#failed(key)));
  }

  /** Gives up what failed in a conversation. */
  discard(key: string | undefined): void {
    for (const failed of this.#failed(key)) this.#options.conversations.get(key!)?.discard(failed);
  }

  #track(sending: Promise<unknown>): void {
    this.#underWay.add(sending);
    void sending.finally(() => this.#underWay.delete(sending));
  }

  async #sendLines(
    key: string | undefined,
    timeline: ScreenTimeline,
    lines: readonly string[],
  ): Promise<void> {
    for (const [index, line] of lines.entries()) {
      if (await timeline.send(line)) continue;
      const rest = lines.length - index - 1;
      const what = rest === 1 ? 'the last pasted line was' : `the other ${rest} pasted lines were`;
      if (rest > 0) this.#options.say(key, note(`${what} not sent`, 'problem'));
      return;
    }
  }

  /** In the order in which they were written. */
  async #retry(timeline: ScreenTimeline, failed: readonly string[]): Promise<void> {
    for (const key of failed) await timeline.retry(key);
  }

  #failed(key: string | undefined): string[] {
    const outgoing = (key === undefined ? undefined : this.#options.conversations.get(key))?.snapshot
      .outgoing;
    return (outgoing ?? []).filter(({ status }) => status === 'failed').map((item) => item.key);
  }

  /**
   * The receiver of the messages of a conversation. @returns undefined when they go nowhere, which is said
   */
  #timeline(key: string | undefined): ScreenTimeline | undefined {
    const { conversations, say } = this.#options;
    const timeline = key?.startsWith('@') ? conversations.open(key) : conversations.get(key ?? '');
    if (timeline?.source !== undefined) return timeline;
    say(key, note('you are in no room: /join one first', 'problem'));
    return undefined;
  }
}
