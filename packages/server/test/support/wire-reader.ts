/**
 * A reader that believes nothing: it follows what the protocol says about rooms, entry by entry, and compares what it was
 * told with the log itself. Whatever it does in whatever order, it must be given each entry once and in order, or be told
 * that it is not.
 */
import { roomKey } from '@chat/protocol';
import { type Frame, FrameType, type Hello, type Joined, NoticeKind } from '@chat/protocol/frames';
import { CLAIM, ClaimKind, type Draft, type LogEntry } from '../../src/log/entry.js';
import type { EventLog, LogConsumer } from '../../src/log/event-log.js';
import type { MemoryChat, MemoryClient } from './memory-chat.js';

/** What is written in the log of a room, whether or not the server remembers it. */
interface Written {
  readonly seq: number;
  readonly kind: number;
  readonly sender: number;
}

/** A log that keeps account of itself, and delivers when it is told where it is to be slow. */
export class WitnessLog implements EventLog {
  readonly epoch = 'witnessed';
  readonly #isLate: boolean;
  readonly #rooms = new Map<string, Written[]>();
  readonly #waiting: Draft[] = [];
  #consumer: LogConsumer = () => {};
  #seq = 0;

  constructor(isLate: boolean) {
    this.#isLate = isLate;
  }

  open(consumer: LogConsumer): undefined {
    this.#consumer = consumer;
  }

  append(draft: Draft): void {
    const copy = { ...draft, body: Uint8Array.from(draft.body), name: Uint8Array.from(draft.name) };
    this.#waiting.push(copy);
    // A client that waits for its welcome, or for a room, does not turn the log.
    if (!this.#isLate || isOpening(draft)) this.deliver(Number.POSITIVE_INFINITY);
  }

  /** Delivers up to `count` of what waits; what is appended meanwhile waits as well. */
  deliver(count: number): void {
    for (let left = Math.min(count, this.#waiting.length); left > 0; left--) {
      const draft = this.#waiting.shift();
      if (draft) this.#place(draft);
    }
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  close(): void {}

  /** Entries of a room behind `after`, up to `until`. */
  between(room: string, after: number, until = Number.POSITIVE_INFINITY): Written[] {
    return (this.#rooms.get(room) ?? []).filter(({ seq }) => seq > after && seq <= until);
  }

  #place(draft: Draft): void {
    const entry: LogEntry = { ...draft, seq: ++this.#seq };
    if (draft.type !== CLAIM) {
      const room = this.#rooms.get(draft.room) ?? [];
      this.#rooms.set(draft.room, room);
      room.push({ seq: entry.seq, kind: draft.kind, sender: draft.sender });
    }
    this.#consumer([entry]);
  }
}

/** Whether a client waits for it before it goes on. */
export function isOpening({ type, kind }: Draft): boolean {
  return type === CLAIM && (kind === ClaimKind.SessionOpened || kind === ClaimKind.RoomOpened);
}

/** What a reader knows of a room that it is in. */
interface View {
  readonly handle: number;
  position: number;
  /** Own notices up to here are of an earlier visit. */
  head: number;
}

type Question =
  | { readonly op: 'join'; readonly room: string; readonly after?: number; readonly history?: number }
  | { readonly op: 'leave'; readonly room: string };

export class WireReader {
  readonly name: string;
  readonly #memory: MemoryChat;
  readonly #log: WitnessLog;
  /** By room key. */
  readonly views: Map<string, View> = new Map();
  /** The last position in each room, also of one that it has left. */
  readonly #last = new Map<string, number>();
  /** Rooms that the session is in by an answer that was lost, and their handles. */
  readonly #orphans = new Map<string, number>();
  /** Rooms that it was shown out of, once or more often. */
  readonly #evicted = new Set<string>();
  readonly #asked = new Map<number, Question>();
  #client: MemoryClient | undefined;
  #session: { id: string; secret: string; member: number } | undefined;
  #welcomed = false;
  #requests = 0;
  #hellos = 0;
  /** Rooms whose `leave` was on its way when the connection broke. */
  #leaving = new Set<string>();
  entries = 0;
  gaps = 0;
  resumes = 0;

  constructor(memory: MemoryChat, log: WitnessLog, name: string) {
    this.#memory = memory;
    this.#log = log;
    this.name = name;
  }

  get isOpen(): boolean {
    return this.#welcomed && this.#client?.gone === false;
  }

  /** Connects, if it is not: wanting its session back, or not. */
  connect(wantsSession: boolean): void {
    if (this.#client && !this.#client.gone) return;
    this.#lost();
    const resume = this.#session && {
      session: this.#session.id,
      secret: this.#session.secret,
      epoch: this.#log.epoch,
      rooms: [...this.views].map(([room, { position }]) => ({ room, after: position })),
      inbox: 0,
    };
    const hello: Partial<Hello> & { readonly name: string } = {
      name: this.name,
      clientSecret: `the secret of ${this.name} alone`,
      attempt: ++this.#hellos,
      ...(wantsSession && resume ? { resume } : {}),
    };
    this.#client = this.#memory.connect();
    this.#client.greet(hello);
  }

  join(room: string, how: 'new' | 'history' | 'after', count: number): void {
    const after = how === 'after' ? this.#last.get(room) : undefined;
    const wish =
      after !== undefined ? { after, epoch: this.#log.epoch } : how === 'history' ? { history: count } : {};
    this.#ask({ op: 'join', room, ...wish });
  }

  leave(room: string): void {
    this.#ask({ op: 'leave', room });
  }

  publish(room: string, size: number): void {
    const view = this.views.get(room);
    if (this.isOpen && view) this.#client!.publish(view.handle, new Uint8Array(size));
  }

  /** An operator shows it out of the room. */
  evict(room: string): void {
    const session = this.#memory.chat.sessions.find(this.name);
    if (session?.evict(room)) this.#evicted.add(room);
  }

  stall(): void {
    this.#client?.link.stall();
  }

  flow(): void {
    this.#client?.link.flow();
  }

  /** The connection breaks, in a request if there is one: of what had arrived, this part was read. */
  cut(part: number): void {
    const client = this.#client;
    if (!client) return;
    this.read(Math.floor(client.frames.length * part));
    if (this.isOpen) client.pipe.write(Uint8Array.of(30, 0, 0, 0, FrameType.Request));
    client.pipe.destroy();
    this.#lost();
  }

  /** Takes in what has arrived. */
  read(count = Number.POSITIVE_INFINITY): void {
    const client = this.#client;
    if (!client) return;
    for (const frame of client.frames.splice(0, count)) this.#take(frame);
    if (client.gone) this.#lost();
  }

  /** After everything has been delivered: it has all that there is. */
  assertComplete(): void {
    for (const [room, { position }] of this.views) {
      this.#assertNothing(room, position, Number.POSITIVE_INFINITY, 'at the end');
    }
  }

  #lost(): void {
    if (!this.#client) return;
    this.#client = undefined;
    this.#welcomed = false;
    this.#orphans.clear();
    for (const question of this.#asked.values())
      if (question.op === 'leave') this.#leaving.add(question.room);
    this.#asked.clear();
  }

  #ask(question: Question): void {
    if (!this.isOpen) return;
    const id = ++this.#requests;
    this.#asked.set(id, question);
    this.#client!.send({ type: FrameType.Request, id, request: question });
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case FrameType.Welcome:
        this.#begin(frame.welcome.resumed, frame.welcome.rooms);
        this.#session = {
          id: frame.welcome.session,
          secret: frame.welcome.secret,
          member: frame.welcome.member.id,
        };
        // A word of its own: the session is held from now on.
        this.#client!.send({ type: FrameType.Pong, nonce: 1 });
        break;
      case FrameType.Response:
        this.#answered(frame.id, frame.response as Joined);
        break;
      case FrameType.Failed:
        this.#asked.delete(frame.id);
        break;
      case FrameType.Gap: {
        const view = this.#viewOf(frame.room);
        if (!view) break;
        this.gaps++;
        if (frame.to < view[1].position) this.#fail(`a gap to ${frame.to} behind ${view[1].position}`);
        this.#move(...view, frame.to);
        break;
      }
      case FrameType.Message:
      case FrameType.Notice:
        this.#entry(frame);
        break;
    }
  }

  #begin(resumed: boolean, rooms: readonly Joined[]): void {
    this.#welcomed = true;
    const missing = new Map(this.views);
    if (resumed) this.resumes++;
    for (const joined of resumed ? rooms : []) {
      const view = this.views.get(joined.room);
      missing.delete(joined.room);
      this.#leaving.delete(joined.room);
      if (view) this.#goOn(joined, view.position);
      else {
        this.#orphans.set(joined.room, joined.handle);
        this.leave(joined.room);
      }
    }
    for (const [room, view] of missing) {
      this.views.delete(room);
      if (this.#leaving.delete(room)) continue;
      if (!resumed) {
        this.#last.set(room, view.position);
        this.join(room, 'after', 0);
      } else if (!this.#evicted.has(room)) this.#fail(`${room} is gone, and nobody took it`);
    }
    this.#leaving.clear();
  }

  #answered(id: number, joined: Joined): void {
    const question = this.#asked.get(id)!;
    this.#asked.delete(id);
    const { room } = question;
    const view = this.views.get(room);
    if (question.op === 'leave') {
      const isIn = (joined as unknown as { readonly left: boolean }).left;
      this.#orphans.delete(room);
      if (!view) return;
      this.views.delete(room);
      if (!isIn) return;
      const gone = this.#log
        .between(room, view.position)
        .find(({ kind, sender }) => kind === NoticeKind.Left && sender === this.#session!.member);
      if (!gone) this.#fail(`${room} was left, and nobody was told`);
      this.#assertNothing(room, view.position, gone!.seq - 1, 'before it left');
      return;
    }
    this.#orphans.delete(room);
    if (question.after !== undefined) this.#goOn(joined, question.after);
    else {
      if (view && (question.history ? joined.start > view.position : joined.start !== view.position)) {
        this.#fail(`joined again at ${joined.start}, having ${view.position}`);
      }
      this.#set(joined, joined.start);
    }
  }

  /** A room that is to go on behind `after`. */
  #goOn(joined: Joined, after: number): void {
    const { room, start, gap } = joined;
    if (gap) {
      this.gaps++;
      if (gap.from > after || gap.to !== start) this.#fail(`the gap ${gap.from}..${gap.to} of ${after}`);
    } else {
      if (start > after) this.#fail(`${room} goes on at ${start} behind ${after}, without a gap`);
      this.#assertNothing(room, start, after - 1, 'of what it has', true);
    }
    this.#set(joined, start);
  }

  #set({ room, handle, head }: Joined, position: number): void {
    this.views.set(room, { handle, position, head });
    this.#last.set(room, position);
  }

  #entry(frame: Extract<Frame, { readonly type: typeof FrameType.Message | typeof FrameType.Notice }>): void {
    const found = this.#viewOf(frame.room);
    if (!found) return;
    const [room, view] = found;
    const { seq, prev } = frame;
    if (prev !== view.position || seq <= prev) {
      this.#fail(`${room}: after ${view.position} came ${seq} with prev ${prev}`);
    }
    this.#assertNothing(room, prev, seq - 1, `before ${seq}`);
    this.entries++;
    this.#move(room, view, seq);
    const isOwnEnd =
      frame.type === FrameType.Notice &&
      frame.kind === NoticeKind.Left &&
      frame.sender === this.#session!.member &&
      seq > view.head;
    if (!isOwnEnd) return;
    if (!this.#evicted.has(room)) this.#fail(`${room}: it was sent its own leaving`);
    this.views.delete(room);
  }

  #move(room: string, view: View, position: number): void {
    view.position = position;
    this.#last.set(room, position);
  }

  /** Entries belong to a room that it is in. */
  #viewOf(handle: number): [string, View] | undefined {
    for (const found of this.views) if (found[1].handle === handle) return found;
    if (![...this.#orphans.values()].includes(handle))
      this.#fail(`something of room ${handle}, which it is not in`);
    return undefined;
  }

  #assertNothing(room: string, after: number, until: number, when: string, mayHave = false): void {
    if (mayHave) return;
    const missing = this.#log.between(roomKey(room), after, until);
    if (missing.length > 0) {
      this.#fail(`${room}: ${missing.map(({ seq }) => seq)} of ${after}..${until} were never sent (${when})`);
    }
  }

  #fail(message: string): void {
    throw new Error(`${this.name}: ${message}`);
  }
}
