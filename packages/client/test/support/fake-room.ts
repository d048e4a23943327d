/** A room whose server does what the test says: what a timeline needs of one, and no more. */
import { textCodec } from '@chat/protocol';
import type {
  Gap,
  HistoryOptions,
  HistoryPage,
  Message,
  Notice,
  Room,
  RoomAbout,
  RoomEvents,
  Sent,
  Signal,
  UnreadableMessage,
} from '../../src/index.js';

export const ADA = { id: 1, name: 'Ada' };
export const BOB = { id: 2, name: 'Bob' };

/** A message of Bob's, at position `seq` of the epoch `e`. */
export function message(seq: number, value: string, more: Partial<Message> = {}): Message {
  return {
    ...{ type: 'message', room: 'lobby', id: `e-${seq}`, seq, prev: seq - 1, at: seq * 1000, codec: 0 },
    ...{ own: false, history: false, sender: BOB, value },
    ...more,
  };
}

/** A message of this client's own. */
export const own = (seq: number, value: string): Message => message(seq, value, { own: true, sender: ADA });

export function notice(seq: number, more: Partial<Notice> = {}): Notice {
  const { value: _, codec: __, sender: ___, ...info } = message(seq, '');
  return { ...info, type: 'notice', kind: 'joined', member: BOB, oldName: undefined, ...more };
}

export const gap = (more: Partial<Gap> = {}): Gap => ({
  ...{ type: 'gap', room: 'lobby', reason: 'skipped', from: 1, to: 2 },
  ...more,
});

/** An answer that the test gives. */
interface Pending<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class FakeRoom {
  readonly name = 'lobby';
  readonly codec = textCodec;
  readonly #listeners = new Map<string, Set<(value: never) => unknown>>();
  readonly sends: (Pending<Sent> & { readonly value: string })[] = [];
  readonly pages: (Pending<HistoryPage<string>> & HistoryOptions)[] = [];
  readonly signals: unknown[] = [];
  about: RoomAbout = {};

  on<Name extends keyof RoomEvents<string>>(
    event: Name,
    listener: (value: RoomEvents<string>[Name]) => unknown,
  ): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as (value: never) => unknown));
    return () => listeners.delete(listener as (value: never) => unknown);
  }

  get listenerCount(): number {
    let count = 0;
    for (const { size } of this.#listeners.values()) count += size;
    return count;
  }

  tell(entry: Message | Notice | Gap | UnreadableMessage | (Signal & { readonly type: 'signal' })): void {
    for (const listener of this.#listeners.get(entry.type) ?? []) listener(entry as never);
  }

  /** It is joined again. */
  rejoined(about: RoomAbout): void {
    this.about = about;
    for (const listener of this.#listeners.get('members') ?? []) listener(new Map() as never);
  }

  send(value: string): Promise<Sent> {
    return new Promise((resolve, reject) => this.sends.push({ value, resolve, reject }));
  }

  history(options: HistoryOptions): Promise<HistoryPage<string>> {
    return new Promise((resolve, reject) => this.pages.push({ ...options, resolve, reject }));
  }

  signal(value: unknown): boolean {
    this.signals.push(value);
    return true;
  }

  asRoom(): Room {
    return this as unknown as Room;
  }
}
