/**
 * Items that were sent and are not answered yet, under consecutive numbers from 1. The answers come in any
 * order, though mostly in that of the numbers.
 *
 * It is an array. A `Map` that takes and gives up thousands of entries a second rebuilds its table all the
 * time, and old dead tables keep alive whatever they point at: with one, a message cost twice as much to
 * send.
 */
export class InFlight<T> {
  readonly #items: (T | undefined)[] = [];
  /** Number of the first of the items. */
  #first = 1;

  /** How many numbers there are from the first unanswered one on. */
  get span(): number {
    return this.#items.length;
  }

  /** The number that the next one gets. */
  get next(): number {
    return this.#first + this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Removes and returns the one of that number, if it is there. */
  take(number: number): T | undefined {
    const items = this.#items;
    const index = number - this.#first;
    const item = items[index];
    if (item === undefined) return undefined;
    items[index] = undefined;
    while (items.length > 0 && items[0] === undefined) {
      items.shift();
      this.#first++;
    }
    return item;
  }

  /** All items, in the order of their numbers. */
  all(): T[] {
    return this.#items.filter((item) => item !== undefined);
  }
}
