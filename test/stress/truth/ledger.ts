/**
 * What a test of the whole system knows: everything that was said, what became of it, and what each observer was shown.
 * Only facts are written down here, as they happen; `judge` says what is wrong with them.
 *
 * Nothing here knows how many servers there are, what stands behind them, or what a dialect is. A text is said once by one
 * author, so that it names its message.
 */

/** What the author of a message was told. `unknown`: it may be in the log, once. */
export type Outcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'acknowledged'; readonly epoch: string; readonly seq: number }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown'; readonly code: string };

/** A message that somebody sent. */
export class Said {
  readonly author: string;
  readonly room: string;
  readonly text: string;
  outcome: Outcome = { kind: 'waiting' };

  constructor(author: string, room: string, text: string) {
    this.author = author;
    this.room = room;
    this.text = text;
  }
}

/** An observer was told that it will not get the entries behind `from`, up to `to`. */
export interface ToldGap {
  readonly from: number;
  /** Undefined where it was told that nobody knows: up to the next entry that it is shown. */
  readonly to: number | undefined;
  readonly reason: string;
}

/** What an observer who is shown positions saw of a room, from one join on. */
export class View {
  readonly observer: string;
  readonly room: string;
  /** Position behind which everything is owed; undefined: from the first entry that was shown. */
  readonly since: number | undefined;
  readonly steps: (number | ToldGap)[] = [];
  readonly #ledger: Ledger;
  #isOpen = true;

  constructor(ledger: Ledger, observer: string, room: string, since: number | undefined) {
    this.#ledger = ledger;
    this.observer = observer;
    this.room = room;
    this.since = since;
  }

  /** The position that was shown last. */
  get position(): number {
    const last = this.steps.at(-1);
    return typeof last === 'object' ? (last.to ?? last.from) : (last ?? this.since ?? 0);
  }

  /** Whether it was there at the end, so that it must have seen the last word of the room. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The observer left the room; what comes after the end of the ledger does not count. */
  leave(): void {
    if (!this.#ledger.isOver) this.#isOpen = false;
  }

  /** @param what - the entry in words that are the same for every observer and in the store */
  saw(epoch: string, seq: number, what: string): void {
    this.steps.push(seq);
    this.#ledger.shown(this.observer, this.room, epoch, seq, what);
  }

  gap(gap: ToldGap): void {
    this.steps.push(gap);
  }
}

/** What an observer who is shown words only saw of a room, over one connection: its own are left out. */
export class TextView {
  readonly observer: string;
  readonly room: string;
  /** What was said, as `messageWords`; undefined stands for a gap that was told. */
  readonly steps: (string | undefined)[] = [];
  isOpen = true;

  constructor(observer: string, room: string) {
    this.observer = observer;
    this.room = room;
  }
}

/** One position was shown with two contents, or in an epoch that was not expected. */
export interface Contradiction {
  readonly rule: 'order' | 'epoch';
  readonly room: string;
  readonly seq: number;
  readonly text: string;
}

/** The latest lines of a diary that are evidence. */
const DIARY_LINES = 12;

/** Contradictions that are kept word for word; the others are as bad. */
const MAX_CONTRADICTIONS = 50;

export class Ledger {
  readonly said: Said[] = [];
  readonly views: View[] = [];
  readonly textViews: TextView[] = [];
  /** What was shown, by room and position. */
  readonly seen: Map<string, Map<number, string>> = new Map();
  readonly contradictions: Contradiction[] = [];
  /** The position of the last word of a room: who is there must have seen it. */
  readonly lastWords: Map<string, { readonly seq: number; readonly words: string }> = new Map();
  /** What must not have happened, and was noticed while it did: a stranger who got the name of somebody else… */
  readonly offences: {
    readonly rule: string;
    readonly text: string;
    readonly evidence: readonly string[];
  }[] = [];
  /** What happened to the system itself, a line each: evidence for whatever is noticed. */
  readonly diary: string[] = [];
  /** Everything was said, and who is there now was there until the end. */
  isOver = false;
  /** Observations in all. */
  shownCount = 0;
  #epoch: string | undefined;

  say(author: string, room: string, text: string): Said {
    const said = new Said(author, room, text);
    this.said.push(said);
    return said;
  }

  view(observer: string, room: string, since?: number): View {
    const view = new View(this, observer, room, since);
    this.views.push(view);
    return view;
  }

  textView(observer: string, room: string): TextView {
    const view = new TextView(observer, room);
    this.textViews.push(view);
    return view;
  }

  /** @param evidence - what came before, in lines */
  offend(rule: string, text: string, evidence: readonly string[] = []): void {
    this.offences.push({ rule, text, evidence: [...this.diary.slice(-DIARY_LINES), ...evidence].sort() });
  }

  /** An entry was shown to `observer`: all must be shown the same at one position, in one epoch. */
  shown(observer: string, room: string, epoch: string, seq: number, what: string): void {
    this.shownCount++;
    this.#epoch ??= epoch;
    if (epoch !== this.#epoch) {
      this.#contradict({
        rule: 'epoch',
        room,
        seq,
        text: `${observer} was shown epoch ${epoch} after ${this.#epoch}`,
      });
      return;
    }
    const entries = this.seen.get(room) ?? new Map<number, string>();
    this.seen.set(room, entries);
    const known = entries.get(seq);
    if (known === undefined) entries.set(seq, what);
    else if (known !== what) {
      this.#contradict({
        rule: 'order',
        room,
        seq,
        text: `${observer} was shown "${what}", others "${known}"`,
      });
    }
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  #contradict(contradiction: Contradiction): void {
    if (this.contradictions.length < MAX_CONTRADICTIONS) this.contradictions.push(contradiction);
  }
}

/** A message in words that are the same everywhere. */
export function messageWords(author: string, text: string): string {
  return `${author}: ${text}`;
}

/** A coming or going in words that are the same everywhere. */
export function noticeWords(name: string, kind: string): string {
  return `* ${name} ${kind}`;
}
