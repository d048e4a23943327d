/** What the thread that searches does when it is called, and by itself: it takes in what was stored meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { FoundPage, RemovalWish, SearchScope } from '../../log/event-log.js';
import { SqliteCode, SqliteError } from '../driver.js';
import { type Found, SearchIndex, type SearchIndexOptions } from '../search/search-index.js';

export interface SearchAnswer extends FoundPage {
  /** The time was over before there were enough. */
  readonly isCutShort: boolean;
}

export interface SearchOperations {
  search(argument: { readonly query: string; readonly scope: SearchScope }): Promise<SearchAnswer>;
  /** Takes out of the index what was removed from the database. */
  remove(wish: RemovalWish): Promise<void>;
  close(argument: undefined): void;
}

/** So often the thread looks whether there is something new. */
const TICK_MS = 500;
/** It works so long at a time. */
const SLICE_MS = 10;
/** With so many entries in a tick the server is busy, and the index can wait. */
const BUSY_ENTRIES = 2000;
/** A search first takes in what is new, so long at the most. */
const CATCH_UP_MS = 50;
/** After this time a search answers what it has. */
const SEARCH_MS = 500;
/** Searches that wait for their turn: the last of them has its answer within ten seconds. */
const MAX_WAITING = 16;

export function searchOperations(options: SearchIndexOptions): SearchOperations {
  const index = new SearchIndex(options);
  let isClosed = false;
  let isFilling = false;
  let isBusy = false;
  let waiting = 0;
  let lastSearch: Promise<unknown> = Promise.resolve();
  let positionBefore = index.storedPosition;
  const timer = setInterval(() => void tick(), TICK_MS);

  async function tick(): Promise<void> {
    const position = index.storedPosition;
    isBusy = position - positionBefore > BUSY_ENTRIES;
    positionBefore = position;
    if (isFilling) return;
    isFilling = true;
    try {
      // A server that becomes busy meanwhile is left alone as well.
      while (!isClosed && !isBusy && work(SLICE_MS)) await nextTurn();
    } finally {
      isFilling = false;
    }
  }

  /** Takes in and out for so long. Answers whether there is more to do. */
  function work(ms: number): boolean {
    const end = performance.now() + ms;
    return mended(() => {
      while (index.fill() || index.trim()) if (performance.now() >= end) return true;
      return false;
    }, true);
  }

  /** A damaged index is made anew; until it is full again less is found. */
  function mended<T>(step: () => T, otherwise: T): T {
    try {
      return step();
    } catch (error) {
      const isDamaged =
        error instanceof SqliteError &&
        (error.code === SqliteCode.Corrupt || error.code === SqliteCode.NotADatabase);
      if (!isDamaged) throw error;
      index.rebuild();
      return otherwise;
    }
  }

  async function search(query: string, scope: SearchScope): Promise<SearchAnswer> {
    const end = performance.now() + SEARCH_MS;
    work(CATCH_UP_MS);
    const newest = Math.min(index.storedPosition, (scope.before ?? Number.MAX_SAFE_INTEGER) - 1);
    const isBehind = (): boolean => index.position < newest;
    const steps = index.search(query, scope);
    const nothing = { done: true, value: { hits: [], next: undefined } } as const;
    for (let found: Found = nothing.value; ; ) {
      if (isClosed) return { ...found, isBehind: true, isCutShort: true };
      const step = mended<IteratorResult<Found, Found>>(() => steps.next(), nothing);
      found = step.value;
      if (step.done) return { ...found, isBehind: isBehind(), isCutShort: false };
      if (performance.now() >= end) return { ...found, isBehind: isBehind(), isCutShort: true };
      await nextTurn();
    }
  }

  return {
    search: ({ query, scope }) => {
      if (waiting === MAX_WAITING) {
        throw new ServerError(ServerErrorCode.StoreBusy, `${MAX_WAITING} searches are waiting already`);
      }
      waiting++;
      // One after the other: together they would only all be late.
      const answer = lastSearch.then(() => search(query, scope)).finally(() => waiting--);
      lastSearch = answer.catch(() => undefined);
      return answer;
    },
    remove: async (wish) => {
      for (const _ of index.remove(wish)) await nextTurn();
    },
    close: () => {
      isClosed = true;
      clearInterval(timer);
      index.close();
    },
  };
}
