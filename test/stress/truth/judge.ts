/**
 * Holds what observers were shown, and authors were told, against what is stored in the end. A pure function: the same facts
 * give the same verdict, and a fact that breaks a promise gives a violation with the entries around it.
 */
import { type Ledger, messageWords, type Said, type TextView, type View } from './ledger.js';

/** What is stored of each room, in order; a room is a name, or `@name` for the direct messages to somebody. */
export type Truth = ReadonlyMap<string, readonly StoredEntry[]>;

export interface StoredEntry {
  readonly seq: number;
  /** Undefined for what is no message. */
  readonly message?: { readonly author: string; readonly text: string };
  /** As observers wrote it down. */
  readonly words: string;
}

/** The promises. */
export type Rule =
  /** Everybody is shown the same entry at the same position, and it is the one that is stored. */
  | 'order'
  /** The epoch goes on. */
  | 'epoch'
  /** What was acknowledged is there, at the position that was acknowledged. */
  | 'lost'
  /** What was refused is not there. */
  | 'refused'
  /** A message is there once. */
  | 'doubled'
  /** Nothing is there that nobody said, or under another name. */
  | 'invented'
  /** The messages of an author in a room are in the order in which they were said. */
  | 'sender-order'
  /** An observer gets each entry once, in order, or is told of a gap. */
  | 'hole'
  /** An observer that is there sees the last word. */
  | 'behind'
  /** Every message is settled. */
  | 'unsettled'
  /** What was noticed while it happened. */
  | (string & {});

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
  /** What is stored around it. */
  readonly evidence: readonly string[];
}

/** Options of {@link judge}. */
export interface JudgeOptions {
  /** Authors whose dialect has no end of a message but its line: the beginning of one may stand for it. */
  readonly mayBeTorn?: (author: string) => boolean;
}

/** Entries before and after that are shown as evidence. */
const AROUND = 3;

/** @returns every promise that was broken, in the order of the rules above */
export function judge(ledger: Ledger, truth: Truth, options: JudgeOptions = {}): Violation[] {
  return new Trial(ledger, truth, options).run();
}

/** The stored entries of a room, to be found by position and by words. */
class StoredRoom {
  readonly entries: readonly StoredEntry[];
  readonly #indexes: Map<number, number> = new Map();
  /** The messages alone, and where each is among them. */
  readonly messages: readonly StoredEntry[];
  readonly placeOf: ReadonlyMap<string, number>;

  constructor(entries: readonly StoredEntry[]) {
    this.entries = entries;
    this.messages = entries.filter(({ message }) => message);
    this.placeOf = new Map(this.messages.map(({ words }, i) => [words, i]));
    entries.forEach(({ seq }, i) => {
      this.#indexes.set(seq, i);
    });
  }

  at(seq: number): StoredEntry | undefined {
    return this.entries[this.#indexes.get(seq) ?? -1];
  }

  /** Index of the first entry behind a position. */
  behind(seq: number): number {
    const known = this.#indexes.get(seq);
    if (known !== undefined) return known + 1;
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  around(seq: number): string[] {
    const at = this.behind(seq - 1);
    return this.entries
      .slice(Math.max(0, at - AROUND), at + AROUND + 1)
      .map((entry) => `${entry.seq} ${entry.words}`);
  }
}

class Trial {
  readonly #ledger: Ledger;
  readonly #rooms: Map<string, StoredRoom> = new Map();
  readonly #mayBeTorn: (author: string) => boolean;
  readonly #violations: Violation[] = [];

  constructor(ledger: Ledger, truth: Truth, { mayBeTorn }: JudgeOptions) {
    this.#ledger = ledger;
    this.#mayBeTorn = mayBeTorn ?? (() => false);
    for (const [room, entries] of truth) this.#rooms.set(room, new StoredRoom(entries));
  }

  run(): Violation[] {
    for (const { rule, room, seq, text } of this.#ledger.contradictions) {
      this.#violate(rule, `${room} ${seq}: ${text}`, room, seq);
    }
    this.#judgeWhatWasShown();
    this.#judgeWhatWasSaid();
    for (const view of this.#ledger.views) this.#judgeView(view);
    for (const view of this.#ledger.textViews) this.#judgeTextView(view);
    return [...this.#violations, ...this.#ledger.offences];
  }

  /** Whatever anybody was shown is stored, as it was shown. */
  #judgeWhatWasShown(): void {
    for (const [room, seen] of this.#ledger.seen) {
      const stored = this.#room(room);
      for (const [seq, words] of seen) {
        const entry = stored.at(seq);
        if (entry?.words === words) continue;
        const is = entry ? `"${entry.words}" is stored` : 'nothing is stored';
        this.#violate(
          entry ? 'order' : 'lost',
          `${room} ${seq}: "${words}" was shown, ${is} there`,
          room,
          seq,
        );
      }
    }
  }

  /** Each message against its outcome, and each stored message against what was said. */
  #judgeWhatWasSaid(): void {
    const places = this.#placesOfMessages();
    for (const said of this.#ledger.said) {
      const found = places.take(said);
      this.#judgeOutcome(said, found);
      if (found.length > 1) {
        this.#violate(
          'doubled',
          `${said.room}: "${describe(said)}" is there at ${found}`,
          said.room,
          found[1],
        );
      }
    }
    for (const { room, seq, words } of places.rest()) {
      this.#violate('invented', `${room} ${seq}: nobody said "${words}"`, room, seq);
    }
    this.#judgeSenderOrder();
  }

  #judgeOutcome(said: Said, found: readonly number[]): void {
    const { outcome, room } = said;
    const what = `${room}: "${describe(said)}"`;
    if (outcome.kind === 'waiting')
      this.#violate('unsettled', `${what} was neither acknowledged nor refused`);
    else if (outcome.kind === 'refused' && found.length > 0) {
      this.#violate(
        'refused',
        `${what} was refused (${outcome.code}) and is there at ${found}`,
        room,
        found[0],
      );
    } else if (outcome.kind === 'acknowledged') {
      const { epoch, seq } = outcome;
      if (epoch !== this.#ledger.epoch && this.#ledger.epoch !== undefined) {
        this.#violate('epoch', `${what} was acknowledged in epoch ${epoch}, others in ${this.#ledger.epoch}`);
      }
      if (!found.includes(seq)) {
        const is = found.length > 0 ? `is there at ${found}` : 'is not there';
        this.#violate('lost', `${what} was acknowledged at ${seq} and ${is}`, room, seq);
      }
    }
  }

  /** Where each text is, by room and author. */
  #placesOfMessages(): Places {
    const places = new Places(this.#mayBeTorn);
    for (const [room, { entries }] of this.#rooms) {
      for (const { seq, message, words } of entries) if (message) places.add(room, seq, message, words);
    }
    return places;
  }

  #judgeSenderOrder(): void {
    const numbers = new Map<string, number>();
    this.#ledger.said.forEach(({ author, room, text }, i) => {
      numbers.set(keyOf(room, author, text), i);
    });
    for (const [room, { entries }] of this.#rooms) {
      const last = new Map<string, number>();
      for (const { seq, message } of entries) {
        if (!message) continue;
        const { author, text } = message;
        const number = numbers.get(keyOf(room, author, text)) ?? -1;
        if (number === -1) continue;
        if (number < (last.get(author) ?? -1)) {
          this.#violate(
            'sender-order',
            `${room} ${seq}: ${author} said "${text}" earlier than what is before it`,
            room,
            seq,
          );
        }
        last.set(author, number);
      }
    }
  }

  #judgeView(view: View): void {
    const { observer, room, since, steps, isOpen } = view;
    const stored = this.#room(room);
    let position = since;
    for (const step of steps) {
      const gap = typeof step === 'number' ? undefined : step;
      const to = typeof step === 'number' ? step : step.to;
      if (position !== undefined) {
        if (typeof step === 'number' && step <= position) {
          this.#violate('hole', `${observer} was shown ${room} ${step} after ${position}`, room, step);
          continue;
        }
        // Everything before a gap, and before an entry, was shown.
        const owedUpTo = typeof step === 'number' ? step - 1 : step.from;
        const missing = stored.entries[stored.behind(position)];
        if (missing && missing.seq <= owedUpTo) {
          const before = gap ? `a gap from ${gap.from}` : to;
          const text = `${observer} was not shown ${room} ${missing.seq}, between ${position} and ${before}`;
          this.#violate('hole', text, room, missing.seq);
        }
      }
      position = to === undefined ? undefined : Math.max(position ?? 0, to);
    }
    const lastWord = this.#ledger.lastWords.get(room);
    if (isOpen && lastWord && (position ?? 0) < lastWord.seq) {
      const text = `${observer} is at ${room} ${position ?? 'nothing'}, and the last word at ${lastWord.seq}`;
      this.#violate('behind', text, room, lastWord.seq);
    }
  }

  #judgeTextView({ observer, room, steps, isOpen }: TextView): void {
    const { messages, placeOf } = this.#room(room);
    /** The first place from `place` on that is not of the observer itself, which gets no echo. */
    const skipOwn = (place: number): number => {
      let next = place;
      while (messages[next]?.message?.author === observer) next++;
      return next;
    };
    let next: number | undefined;
    let hasGap = false;
    for (const words of steps) {
      if (words === undefined) {
        hasGap = true;
        continue;
      }
      const place = placeOf.get(words);
      if (place === undefined) {
        this.#violate('lost', `${observer} was shown "${words}" in ${room}, which is not stored`);
        continue;
      }
      if (next !== undefined && (hasGap ? place < next : place !== next)) {
        const { seq } = messages[place]!;
        const owed = messages[next];
        const text = `${observer} was shown ${room} ${seq} "${words}" instead of ${owed?.seq} "${owed?.words}"`;
        this.#violate('hole', text, room, owed?.seq ?? seq);
      }
      next = skipOwn(place + 1);
      hasGap = false;
    }
    const lastWord = this.#ledger.lastWords.get(room);
    if (isOpen && lastWord && !steps.includes(lastWord.words)) {
      this.#violate('behind', `${observer} was not shown the last word of ${room}`, room, lastWord.seq);
    }
  }

  #room(name: string): StoredRoom {
    return this.#rooms.get(name) ?? new StoredRoom([]);
  }

  #violate(rule: Rule, text: string, room?: string, seq?: number): void {
    const evidence = room === undefined || seq === undefined ? [] : this.#room(room).around(seq);
    this.#violations.push({ rule, text, evidence });
  }
}

/** Messages that are stored, taken out one by one by those who said them. */
class Places {
  readonly #places: Map<string, { readonly room: string; readonly words: string; readonly seqs: number[] }> =
    new Map();
  readonly #mayBeTorn: (author: string) => boolean;
  /** Texts of authors whose messages may be torn, which were not taken whole. */
  readonly #torn: Map<string, Set<string>> = new Map();

  constructor(mayBeTorn: (author: string) => boolean) {
    this.#mayBeTorn = mayBeTorn;
  }

  add(room: string, seq: number, { author, text }: { author: string; text: string }, words: string): void {
    const key = keyOf(room, author, text);
    const place = this.#places.get(key);
    if (place) place.seqs.push(seq);
    else this.#places.set(key, { room, words, seqs: [seq] });
  }

  /** The positions of a message; they belong to nobody else then. */
  take({ author, room, text }: Said): readonly number[] {
    const key = keyOf(room, author, text);
    const place = this.#places.get(key);
    this.#places.delete(key);
    if (!place && this.#mayBeTorn(author)) {
      const place = keyOf(room, author, '');
      const texts = this.#torn.get(place) ?? new Set();
      this.#torn.set(place, texts.add(text));
    }
    return place?.seqs ?? [];
  }

  /** What nobody took. */
  *rest(): Generator<{ readonly room: string; readonly seq: number; readonly words: string }> {
    for (const [key, { room, words, seqs }] of this.#places) {
      const [, author, text] = key.split('\0') as [string, string, string];
      const whole = [...(this.#torn.get(keyOf(room, author, '')) ?? [])].find((said) =>
        said.startsWith(text),
      );
      // What is left of a message that was torn is there once, too.
      for (const seq of whole === undefined ? seqs : seqs.slice(1)) yield { room, seq, words };
    }
  }
}

function keyOf(room: string, author: string, text: string): string {
  return `${room}\0${author}\0${text}`;
}

function describe({ author, text }: Said): string {
  return messageWords(author, text);
}
