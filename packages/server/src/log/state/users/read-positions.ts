/**
 * How far each user has read in each room: kept by account, over sessions and restarts. A part of the chat's state: it
 * follows from the log alone, and a position only ever moves forwards.
 *
 * Both bounds are kept by letting go of what was changed longest ago, in the order of the log: so all who read the log
 * let go of the same.
 */

/** So many rooms are kept for each account. */
export const MAX_READ_ROOMS = 500;
/** So many positions are kept of all accounts together. */
export const MAX_READ_POSITIONS = 100_000;

/** How far somebody has read somewhere. */
export interface ReadPosition {
  readonly account: string;
  /** Key of a room; or `@` and the name of somebody in lower case, for the direct messages with it. */
  readonly place: string;
  /** Position of the newest message that was read. */
  readonly seq: number;
  /** Position of the entry that said so. */
  readonly changed: number;
}

/** A place, and the position of the newest message that was read there. */
export type PlaceRead = readonly [place: string, seq: number];

/** Under which place the direct messages with a user are read; no room has a name like this. */
export function talkKey(name: string): string {
  return `@${name.toLowerCase()}`;
}

/** Whether it is a place of direct messages. */
export function isTalk(place: string): boolean {
  return place.startsWith('@');
}

export class ReadPositions {
  /** The one that was changed longest ago is the first, of all and of each account. */
  readonly #all: Map<string, ReadPosition> = new Map();
  readonly #byAccount: Map<string, Map<string, ReadPosition>> = new Map();
  readonly #readersOf: Map<string, Set<string>> = new Map();
  readonly #maxRooms: number;
  readonly #maxPositions: number;
  /** Told of each position that is another, or is not there any more. */
  onChanged: ((account: string, place: string) => void) | undefined;

  constructor(maxRooms: number = MAX_READ_ROOMS, maxPositions: number = MAX_READ_POSITIONS) {
    this.#maxRooms = maxRooms;
    this.#maxPositions = maxPositions;
  }

  /** All of them, in the order in which they were changed. */
  [Symbol.iterator](): IterableIterator<ReadPosition> {
    return this.#all.values();
  }

  find(account: string, place: string): ReadPosition | undefined {
    return this.#byAccount.get(account)?.get(place);
  }

  /** Takes one, if it is further than what is known; answers whether it is. */
  note(position: ReadPosition): boolean {
    const { account, place, seq } = position;
    if (seq <= (this.find(account, place)?.seq ?? 0)) return false;
    this.#drop(account, place);
    let places = this.#byAccount.get(account);
    if (!places) {
      places = new Map();
      this.#byAccount.set(account, places);
    }
    places.set(place, position);
    this.#all.set(nameOf(position), position);
    const readers = this.#readersOf.get(place) ?? new Set();
    this.#readersOf.set(place, readers.add(account));
    this.onChanged?.(account, place);
    if (places.size > this.#maxRooms) this.#forget([...places.values()][0]!);
    if (this.#all.size > this.#maxPositions) this.#forget(this.#all.values().next().value!);
    return true;
  }

  /** A room is forgotten: nobody has read in it. */
  forgotten(place: string): void {
    for (const account of [...(this.#readersOf.get(place) ?? [])]) this.#forget({ account, place });
  }

  #forget({ account, place }: Pick<ReadPosition, 'account' | 'place'>): void {
    this.#drop(account, place);
    this.onChanged?.(account, place);
  }

  #drop(account: string, place: string): void {
    const places = this.#byAccount.get(account);
    if (!places?.delete(place)) return;
    if (places.size === 0) this.#byAccount.delete(account);
    this.#all.delete(nameOf({ account, place }));
    const readers = this.#readersOf.get(place);
    readers?.delete(account);
    if (readers?.size === 0) this.#readersOf.delete(place);
  }
}

/** An account has no line feed in its name, nor has a place. */
function nameOf({ account, place }: Pick<ReadPosition, 'account' | 'place'>): string {
  return `${account}\n${place}`;
}
