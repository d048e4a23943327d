/** Newcomers that wait for what came before them, and the workers that are asked to tell them. */

/** Somebody who reads from behind `position` on. */
export interface SnapshotWish {
  readonly by: number;
  readonly position: number;
}

export class Snapshots {
  /** By the process that is to make it. */
  readonly #asked = new Map<number, SnapshotWish[]>();
  /** Newcomers that wait until there is somebody who can make one. */
  #waiting: SnapshotWish[] = [];

  /** Whether nobody waits for somebody who could make one. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  ask(maker: number, wish: SnapshotWish): void {
    this.#asked.set(maker, [...(this.#asked.get(maker) ?? []), wish]);
  }

  wait(wish: SnapshotWish): void {
    this.#waiting.push(wish);
  }

  /** Takes out those that wait: there is somebody now. */
  takeWaiting(): SnapshotWish[] {
    return this.#waiting.splice(0);
  }

  made(maker: number, by: number): void {
    const wishes = this.#asked.get(maker) ?? [];
    this.#asked.set(
      maker,
      wishes.filter((wish) => wish.by !== by),
    );
  }

  /** One has ended that was to make some: answers those that have to be asked for again. */
  ended(maker: number): readonly SnapshotWish[] {
    const wishes = this.#asked.get(maker) ?? [];
    this.#asked.delete(maker);
    return wishes;
  }

  clear(): void {
    this.#waiting = [];
  }
}
