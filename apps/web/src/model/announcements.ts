/**
 * Sentences that assistive technology is to say: the newest few.
 */

export interface Announcement {
  readonly key: number;
  readonly text: string;
}

const MAX_ANNOUNCED = 6;

export class Announcements {
  #count = 0;
  all: readonly Announcement[] = [];

  say(text: string): void {
    this.all = [...this.all, { key: ++this.#count, text }].slice(-MAX_ANNOUNCED);
  }

  clear(): void {
    this.all = [];
  }
}
