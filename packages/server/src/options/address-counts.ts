/**
 * What servers of one machine know of each other about one address, so that its limits count for all of them together. Each
 * writes its own part and reads those of the others; nobody waits for anybody.
 */

/**
 * What is counted. `connections`, `away` and `rooms` are held and given back; `connecting`, `messages` and `bytes` are what was used so far, of
 * which only the growth counts.
 */
export type AddressCount = 'connections' | 'away' | 'rooms' | 'connecting' | 'messages' | 'bytes';

/** What one server has of something under a key. */
export interface AddressShare {
  /** Counts so many more; below 0: fewer. */
  add(amount: number): void;
  /** What the other servers have. */
  others(): number;
  /** The server has nothing of it any more. */
  close(): void;
}

/** A table that servers of one machine share. None of its methods may throw. */
export interface AddressCounts {
  /** Begins to count; `undefined` where the table is full: the server counts for itself then. */
  open(what: AddressCount, key: string): AddressShare | undefined;
  /** What the other servers have. */
  others(what: AddressCount, key: string): number;
}

/** Of a server that is alone. */
export const OWN_COUNTS: AddressCounts = { open: () => undefined, others: () => 0 };
