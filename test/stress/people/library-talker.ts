/**
 * Somebody with `@chat/client`, over TCP or WebSocket: says things, leaves rooms and comes back, writes to others, goes and
 * comes again; and writes down what it said, was told and was shown.
 */
import { type ChatClient, ClientError, createChatClient, type Room } from '@chat/client';
import type { Decisions } from '../plan.js';
import { type Ledger, messageWords, noticeWords, type Said, type View } from '../truth/ledger.js';

/**
 * Refusals after which a message is certainly not in the log. `ERR_CLIENT_NO_SUCH_USER` is none: of a direct message whose
 * receiver leaves while the log thinks about it, it says that nobody will read it.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'ERR_CLIENT_UNAVAILABLE',
  'ERR_CLIENT_RATE_LIMITED',
  'ERR_CLIENT_NOT_MEMBER',
  'ERR_CLIENT_NO_SUCH_ROOM',
  'ERR_CLIENT_OUTBOX_FULL',
  'ERR_CLIENT_OUTBOX_EXPIRED',
  'ERR_CLIENT_CLOSED',
]);
/** Messages that wait for their fate, at the most. */
const MAX_WAITING = 32;
/** The last things that it did, which are shown as evidence. */
const MAX_DIARY = 16;
const FILLER = 'x'.repeat(400);

/** What the talkers of a run have in common. */
export interface Company {
  readonly ledger: Ledger;
  /** Names of all that may get direct messages. */
  readonly names: readonly string[];
  readonly rooms: readonly string[];
  /** Told of each acknowledgement. */
  onAcknowledged(): void;
  /** Told of each loss of a connection. */
  onLost(): void;
}

export class LibraryTalker {
  readonly name: string;
  readonly isSteady: boolean;
  readonly #url: string;
  readonly #company: Company;
  readonly #decide: Decisions;
  readonly #views: Map<string, View> = new Map();
  #inbox: View;
  #client: ChatClient;
  readonly #diary: string[] = [];
  #number = 0;
  #waiting = 0;
  #isSilent = false;
  /** The server has answered something in the session: it is kept when the connection breaks from then on. */
  #isKnown = false;
  #whenSettled: (() => void) | undefined;

  /** @param isSteady - it never gives its name up */
  constructor(name: string, url: string, company: Company, decide: Decisions, isSteady: boolean) {
    this.name = name;
    this.isSteady = isSteady;
    this.#url = url;
    this.#company = company;
    this.#decide = decide;
    this.#inbox = company.ledger.view(name, `@${name}`);
    this.#client = this.#makeClient();
  }

  get client(): ChatClient {
    return this.#client;
  }

  /** Writes down what it does, for the evidence. */
  #note(what: string): void {
    this.#diary.push(`${new Date().toISOString().slice(11, 23)} ${what}`);
    if (this.#diary.length > MAX_DIARY) this.#diary.shift();
  }

  /** A promise was broken to it. */
  #complain(rule: string, text: string): void {
    this.#company.ledger.offend(rule, `${this.name} ${text}`, this.#diary);
  }

  /** Connects, and joins some rooms. */
  async enter(): Promise<void> {
    await this.#client.connect();
    const count = this.#decide.between(1, Math.min(2, this.#company.rooms.length));
    for (let i = 0; i < count; i++) await this.#join(this.#decide.pick(this.#company.rooms));
  }

  /** Acts until it is told to be silent. `pauseMs` apart, in the mean. */
  async talk(pauseMs: number): Promise<void> {
    while (!this.#isSilent) {
      await new Promise((resolve) => setTimeout(resolve, 2 * pauseMs * this.#decide.random()));
      if (!this.#isSilent) await this.#act();
    }
  }

  /** Says nothing more. Resolves once everything that it said has its outcome, or `patience` is over. */
  async fallSilent(patience: Promise<void>): Promise<void> {
    this.#isSilent = true;
    if (this.#waiting === 0) return;
    const settled = new Promise<void>((resolve) => {
      this.#whenSettled = resolve;
    });
    await Promise.race([settled, patience]);
    if (this.#waiting === 0) return;
    this.#complain('unsettled', `waits for ${this.#waiting} messages: ${JSON.stringify(this.#client.state)}`);
  }

  /** Where it is in the rooms that it is in. */
  get positions(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#views].filter(([, { isOpen }]) => isOpen).map(([room, { position }]) => [room, position]),
    );
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #act(): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return;
    const act = this.#decide.random();
    const room = this.#pickRoom();
    if (act < 0.02 && !this.isSteady) await this.#comeAgain();
    else if (act < 0.05) await this.#wander(room);
    else if (act < 0.1) this.#writeTo(this.#decide.pick(this.#company.names));
    else if (room)
      for (let burst = this.#decide.pick([1, 1, 1, 2, 5]); burst > 0; burst--) void this.say(room);
  }

  #pickRoom(): Room | undefined {
    const rooms = [...this.#client.joined.values()] as Room[];
    return rooms.length === 0 ? undefined : this.#decide.pick(rooms);
  }

  /** Says something in a room. */
  say(room: Room): Promise<Said> {
    return this.#publish(room.name, (text) => room.send(text));
  }

  #writeTo(name: string): void {
    if (name !== this.name) void this.#publish(`@${name}`, (text) => this.#client.direct(name, text));
  }

  async #publish(room: string, send: (text: string) => Promise<{ id: string; seq: number }>): Promise<Said> {
    const text = `${++this.#number} ${FILLER.slice(0, this.#decide.between(0, 200))}`;
    const said = this.#company.ledger.say(this.name, room, text);
    this.#waiting++;
    try {
      const { id, seq } = await send(text);
      said.outcome = { kind: 'acknowledged', epoch: epochOf(id), seq };
      this.#isKnown = true;
      this.#company.onAcknowledged();
    } catch (error) {
      const code = ClientError.is(error) ? error.code : String(error);
      said.outcome = { kind: REFUSALS.has(code) ? 'refused' : 'unknown', code };
      if (code === 'ERR_CLIENT_PROTOCOL') this.#complain('protocol', `does not understand: ${error}`);
    }
    this.#waiting--;
    if (this.#waiting === 0) this.#whenSettled?.();
    return said;
  }

  /** Leaves a room, and joins it again where it was, or another one. */
  async #wander(room: Room | undefined): Promise<void> {
    try {
      this.#note(`leaves ${room?.name}`);
      if (room) await room.leave();
      this.#note(`has left ${room?.name}`);
      await this.#join(room && this.#decide.chance(0.7) ? room.name : this.#decide.pick(this.#company.rooms));
    } catch (error) {
      // The server was away for too long, or takes nothing: another act, another try.
      this.#note(String(error));
    }
  }

  /** Goes, as a program that ends, and comes again with what it remembers. */
  async #comeAgain(): Promise<void> {
    const rooms = [...this.#client.joined.keys()];
    await this.#client.close();
    this.#inbox.leave();
    this.#inbox = this.#company.ledger.view(this.name, `@${this.name}`);
    this.#client = this.#makeClient();
    await this.#client.connect();
    for (const room of rooms) await this.#join(room).catch(() => {});
  }

  #makeClient(): ChatClient {
    const { random } = this.#decide;
    const client = createChatClient(this.#url, {
      name: this.name,
      identity: `the secret of ${this.name}`.padEnd(24, '.'),
      random,
      // As often as it takes; the server is away for most of a second each time.
      reconnect: { initial: true, baseDelayMs: 50, maxDelayMs: 400, nameTakenTimeoutMs: 600_000 },
      outbox: { maxAgeMs: 600_000 },
      requestTimeoutMs: 60_000,
      connectTimeoutMs: 20_000,
    });
    const inbox = this.#inbox;
    client.on('direct', ({ id, seq, sender, value }) =>
      inbox.saw(epochOf(id), seq, messageWords(sender.name, value)),
    );
    client.on('gap', ({ room, from, to, reason }) => {
      // How much went to the session that is gone nobody can say.
      if (room === undefined) inbox.gap({ from, to: reason === 'session-gone' ? undefined : to, reason });
    });
    this.#isKnown = false;
    client.on('state', (state) => {
      if (state.status === 'reconnecting' && state.attempt === 1) this.#note(`lost: ${state.error.message}`);
      if (state.status === 'open') this.#note(`open, ${state.resumed ? 'resumed' : 'a new session'}`);
      if (state.status === 'reconnecting' && state.attempt === 1) this.#company.onLost();
      if (state.status === 'open') {
        if (this.#isKnown && !state.resumed) this.#complain('session', 'was not known any more');
        this.#isKnown &&= state.resumed;
      }
      if (state.status === 'closed' && state.reason.code !== 'ERR_CLIENT_CLOSED') {
        this.#complain('ended', `was ended: ${state.reason.code} ${state.reason.message}`);
      }
    });
    client.on('room-lost', ({ room, error }) => {
      this.#complain('ended', `lost ${room}: ${error.code} ${error.message}`);
    });
    client.on('listener-error', ({ error }) => {
      this.#complain('test', String(error));
    });
    return client;
  }

  async #join(name: string): Promise<void> {
    if (this.#client.joined.has(name)) return;
    const { ledger } = this.#company;
    const since = this.#views.get(name)?.position;
    const { epoch } = ledger;
    const isBack = since !== undefined && epoch !== undefined;
    this.#note(`joins ${name} behind ${since}`);
    const room = await this.#client.join(name, isBack ? { since: { epoch, seq: since } } : {});
    this.#isKnown = true;
    this.#note(`has joined ${name} at ${room.position}`);
    const view = ledger.view(this.name, name, isBack ? since : undefined);
    this.#views.set(name, view);
    room.on('message', ({ id, seq, sender, value }) =>
      view.saw(epochOf(id), seq, messageWords(sender.name, value)),
    );
    room.on('notice', ({ id, seq, member, kind }) =>
      view.saw(epochOf(id), seq, noticeWords(member.name, kind)),
    );
    room.on('unreadable', ({ seq }) => this.#complain('unreadable', `cannot read ${name} ${seq}`));
    room.on('gap', ({ from, to, reason }) => {
      view.gap({ from, to, reason });
      if (reason === 'hole') this.#complain('hole', `has a hole in ${name}, ${from} to ${to}`);
    });
    room.on('closed', () => view.leave());
  }
}

/** An entry is named by its epoch and its position. */
export function epochOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}
