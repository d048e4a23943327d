/**
 * How often a password may be guessed: by account and by address, so that neither many guesses from one address nor
 * few from each of many get far, and the owner of an account is not locked out by them.
 *
 * Each try is paid for before it is looked at and given back when it was right, so what is told at once counts as well.
 * A client, or else an address, from which an account was entered before has an allowance of its own for it: what
 * strangers do does not use that up. All of it is in memory, bounded, and gone with the process.
 */

/** Tries at once, and how long each of them counts. */
interface Allowance {
  readonly burst: number;
  readonly eachMs: number;
}

const ADDRESS: Allowance = { burst: 10, eachMs: 6000 };
/** Of an account, from strangers: a single address cannot use it up, since it comes back faster than that of the address. */
const ACCOUNT: Allowance = { burst: 50, eachMs: 3000 };
/** Of an account, from a client or an address that is known to it. */
const KNOWN: Allowance = { burst: 10, eachMs: 6000 };
/** Things that are remembered of each kind; beyond, those are forgotten first that were heard of first. */
const MAX_REMEMBERED = 10_000;

/** Where a guess comes from. */
export interface Guesser {
  /** Key of the address, see `guesserKey`. */
  readonly address: string;
  /** Of the client; empty where nothing tells it from others. */
  readonly clientId: string;
  /** Name of an account that there is; undefined where there is none. */
  readonly account: string | undefined;
}

/** A try that may be made. */
export interface Guess {
  /** It was right: it counts no more, and the account is known to come from there. */
  right(): void;
}

export class GuessThrottle {
  readonly #now: () => number;
  /** Until when what was tried counts, by who tried. */
  readonly #until = new Map<string, number>();
  readonly #known = new Set<string>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A guess that may be made, or milliseconds until the next one may. */
  try(guesser: Guesser): Guess | number {
    const places = placesOf(guesser);
    const known = places.find((place) => this.#known.has(place));
    const { address, account } = guesser;
    const payers: readonly (readonly [string, Allowance])[] = known
      ? [[known, KNOWN]]
      : [
          [`address ${address}`, ADDRESS],
          ...(account === undefined ? [] : ([[`account ${account}`, ACCOUNT]] as const)),
        ];
    const now = this.#now();
    const waitMs = Math.max(
      ...payers.map(([key, { burst, eachMs }]) => this.#sinceOf(key, now) - now - (burst - 1) * eachMs),
    );
    if (waitMs > 0) return waitMs;
    for (const [key, { eachMs }] of payers) this.#pay(key, this.#sinceOf(key, now) + eachMs);
    return {
      right: () => {
        for (const [key, { eachMs }] of payers) this.#pay(key, (this.#until.get(key) ?? 0) - eachMs);
        for (const place of places) remember(this.#known, place);
      },
    };
  }

  #sinceOf(key: string, now: number): number {
    return Math.max(this.#until.get(key) ?? 0, now);
  }

  #pay(key: string, until: number): void {
    this.#until.delete(key);
    this.#until.set(key, until);
    if (this.#until.size > MAX_REMEMBERED) this.#until.delete(this.#until.keys().next().value!);
  }
}

/** A client is known better than an address, which it may share with others. */
function placesOf({ account, clientId, address }: Guesser): readonly string[] {
  if (account === undefined) return [];
  const place = `${account}\naddress ${address}`;
  return clientId === '' ? [place] : [`${account}\nclient ${clientId}`, place];
}

function remember(known: Set<string>, place: string): void {
  known.delete(place);
  known.add(place);
  if (known.size > MAX_REMEMBERED) known.delete(known.values().next().value!);
}
