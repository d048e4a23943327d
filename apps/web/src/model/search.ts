/**
 * The last search and its hits so far. They outlive their window: who jumps to one message and comes back finds the
 * others still there.
 */
import type { SearchHit, SearchOptions, SearchPage } from '@chat/client';
import { explain } from '../text/explain.js';

/** Asks the server; undefined without a connection. */
type Ask = (query: string, options: SearchOptions) => Promise<SearchPage> | undefined;

const PAGE_HITS = 30;

export class Search {
  readonly #ask: Ask;
  readonly #onChange: () => void;
  #asking: AbortController | undefined;
  words = '';
  /** The only room in which to look; all without one. */
  room: string | undefined;
  /** Undefined before the first answer. The newest first. */
  hits: readonly SearchHit[] | undefined;
  /** Whether there may be older ones. */
  hasMore = false;
  /** Whether the newest messages could not be found yet. */
  isBehind = false;
  isUnderWay = false;
  problem: string | undefined;
  #cursor: number | undefined;

  constructor(ask: Ask, onChange: () => void) {
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** Finds the newest messages with these words. What was asked before is given up. */
  find(words: string, room: string | undefined): Promise<void> {
    this.clear();
    this.words = words;
    this.room = room;
    return this.#next();
  }

  /** Finds older ones. */
  more(): Promise<void> {
    return this.hasMore && !this.isUnderWay ? this.#next() : Promise.resolve();
  }

  /** Forgets all of it. */
  clear(): void {
    this.#asking?.abort();
    this.#asking = undefined;
    this.words = '';
    this.hits = undefined;
    this.#cursor = undefined;
    this.hasMore = false;
    this.isBehind = false;
    this.isUnderWay = false;
    this.problem = undefined;
  }

  async #next(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    this.isUnderWay = true;
    this.problem = undefined;
    this.#onChange();
    try {
      const page = await this.#ask(this.words, {
        limit: PAGE_HITS,
        signal: asking.signal,
        ...(this.room !== undefined && { room: this.room }),
        ...(this.#cursor !== undefined && { before: this.#cursor }),
      });
      if (this.#asking !== asking) return;
      this.hits = [...(this.hits ?? []), ...(page?.hits ?? [])];
      this.#cursor = page?.cursor;
      this.hasMore = page?.cursor !== undefined;
      this.isBehind ||= page?.behind === true;
    } catch (error) {
      if (this.#asking !== asking) return;
      this.problem = explain(error);
    }
    this.isUnderWay = false;
    this.#onChange();
  }
}
