/**
 * Own messages on their way: seen at once, acknowledged or failed later, in the order in which they were written.
 */
import { type ChatClient, ClientError, type Clock, type Room, type Sent } from '@chat/client';
import { ACTION_PREFIX } from '../../session/command.js';
import { errorText } from '../../session/session.js';
import { type Item, type SpokenItem, spokenItem } from '../state/conversation.js';
import type { ScreenEvent } from '../state/screen-state.js';
import { note } from './screen-events.js';

/** What {@link Outgoing} needs of the screen. */
export interface OutgoingOptions {
  readonly client: ChatClient;
  readonly clock: Clock;
  readonly dispatch: (event: ScreenEvent) => void;
  /** Whether the log has not brought it back yet. */
  readonly isPending: (key: string, pendingKey: number) => boolean;
}

/** How long an acknowledged message waits for its echo. */
const ECHO_WAIT_MS = 3000;
const RATE_LIMIT_WAIT_MS = 500;
const MAX_RATE_LIMIT_WAITS = 20;

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #timers = new Set<unknown>();
  #lastKey = 0;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Resolved when everything that is under way now has an outcome. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Sends one message. What goes wrong is shown. */
  send(key: string | undefined, text: string, action = false): void {
    this.#track(this.#send(key, text, action));
  }

  /** Sends messages one after the other, so that they stand in this order; the first that fails ends it. */
  sendLines(key: string | undefined, lines: readonly string[]): void {
    this.#track(this.#sendLines(key, lines));
  }

  /** Ends timers. */
  stop(): void {
    for (const timer of this.#timers) this.#options.clock.clearTimeout(timer);
  }

  #track(sending: Promise<unknown>): void {
    this.#underWay.add(sending);
    void sending.finally(() => this.#underWay.delete(sending));
  }

  async #sendLines(key: string | undefined, lines: readonly string[]): Promise<void> {
    const said = lines.filter((line) => line.trim() !== '');
    for (const [index, line] of said.entries()) {
      if (await this.#send(key, line, false)) continue;
      const rest = said.length - index - 1;
      if (rest > 0) this.#say(key, `the other ${rest} pasted lines were not sent`);
      return;
    }
  }

  /** @returns whether the server has it */
  async #send(key: string | undefined, text: string, action: boolean): Promise<boolean> {
    const { client, clock, dispatch } = this.#options;
    const publish = this.#publisher(key, action ? ACTION_PREFIX + text : text);
    if (key === undefined || publish === undefined) {
      this.#say(key, 'you are in no room: /join one first');
      return false;
    }
    const pendingKey = ++this.#lastKey;
    const said = { at: clock.now(), name: client.name, own: true, text };
    const item = spokenItem(said, { action, me: client.name });
    dispatch({ type: 'sending', key, pending: { key: pendingKey, text, item } });
    try {
      const { at } = await this.#patiently(publish);
      this.#acknowledge(key, pendingKey, { ...item, at });
      return true;
    } catch (error) {
      dispatch({ type: 'not-sent', key, pendingKey, at: clock.now(), failure: errorText(error) });
      return false;
    }
  }

  #publisher(key: string | undefined, value: string): (() => Promise<Sent>) | undefined {
    const { client } = this.#options;
    if (key?.startsWith('@')) return () => client.direct(key.slice(1), value);
    const room = key === undefined ? undefined : (client.joined.get(key) as Room | undefined);
    return room && (() => room.send(value));
  }

  #acknowledge(key: string, pendingKey: number, item: SpokenItem): void {
    const { clock, dispatch, isPending } = this.#options;
    const sent = { type: 'sent', key, pendingKey, item } as const;
    if (key.startsWith('@')) {
      dispatch(sent);
      return;
    }
    // The echo brings it. If it does not, because that part of the log was skipped, it is shown all the same.
    if (!isPending(key, pendingKey)) return;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (isPending(key, pendingKey)) dispatch(sent);
    }, ECHO_WAIT_MS);
    this.#timers.add(timer);
  }

  /** Waits as long as a rate limit asks for, so that fast fingers lose nothing. */
  async #patiently(publish: () => Promise<Sent>): Promise<Sent> {
    const { clock } = this.#options;
    for (let waits = 0; ; waits++) {
      try {
        return await publish();
      } catch (error) {
        const isLimit = ClientError.is(error) && error.code === 'ERR_CLIENT_RATE_LIMITED';
        if (!isLimit || waits >= MAX_RATE_LIMIT_WAITS) throw error;
        const waitMs = error.retryAfterMs ?? RATE_LIMIT_WAIT_MS;
        await new Promise<void>((resolve) => this.#timers.add(clock.setTimeout(resolve, waitMs)));
      }
    }
  }

  #say(key: string | undefined, text: string): void {
    const item: Item = note(text, this.#options.clock.now(), 'problem');
    this.#options.dispatch({ type: 'items', key, items: [item] });
  }
}
