/**
 * Passwords as they are kept: scrypt (RFC 7914), its parameters and a salt beside each hash, so that later ones may be
 * stronger.
 *
 * A hash takes 32 MiB and a part of a second. It is made in a thread of Node's pool, never in the event loop, and few
 * are made at once; a crowd that wants in waits in line, and beyond that is told to come back.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** What a hash costs: memory is 128 · r · 2^ln bytes, time grows with p as well. */
interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP, "Password Storage Cheat Sheet": one of the equivalent choices for scrypt, that with 32 MiB. */
const COST: Cost = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Of a file that somebody wrote by hand: what a hash may cost at the most. */
const MAX_HASH_MEMORY_BYTES = 268_435_456;
const MAX_P = 16;
/** Node's pool has four threads, and files and names need some of them too. */
const AT_ONCE = 2;
/** Those that wait in line, beyond those at work: some seconds of work. */
const MAX_WAITING = 24;
/** What is compared with when there is no hash: the same work, and never equal. */
const NOBODY = format(COST, Buffer.alloc(SALT_BYTES, 1), Buffer.alloc(HASH_BYTES));

/** The line of those who want to be compared is too long. */
export class TooBusy extends Error {}

export interface PasswordHasherOptions {
  /** @defaultValue what new hashes cost; tests have no time for that */
  readonly cost?: Cost;
  readonly atOnce?: number;
  readonly maxWaiting?: number;
}

export class PasswordHasher {
  readonly #cost: Cost;
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor({ cost = COST, atOnce = AT_ONCE, maxWaiting = MAX_WAITING }: PasswordHasherOptions = {}) {
    this.#cost = cost;
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /** Hashes that are being made, which is bounded. */
  get working(): number {
    return this.#working;
  }

  /** A password as it is kept. @throws TooBusy (as a rejection) */
  hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return this.#inTurn(async () =>
      format(this.#cost, salt, await derive(password, salt, this.#cost, HASH_BYTES)),
    );
  }

  /**
   * Whether a password is the one that is kept. Where none is, the same work is done: how long it takes tells nothing.
   *
   * @throws TooBusy (as a rejection)
   */
  verify(password: string, kept: string | undefined): Promise<boolean> {
    const { cost, salt, hash } = parse(kept ?? (this.#cost === COST ? NOBODY : this.#nobody()));
    return this.#inTurn(async () => {
      const isEqual = timingSafeEqual(await derive(password, salt, cost, hash.length), hash);
      return isEqual && kept !== undefined;
    });
  }

  #nobody(): string {
    return format(this.#cost, Buffer.alloc(SALT_BYTES, 1), Buffer.alloc(HASH_BYTES));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working >= this.#atOnce) {
      if (this.#waiting.length >= this.#maxWaiting) throw new TooBusy('too many passwords at once');
      // Whoever ends hands its place over.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#working++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#working--;
    }
  }
}

/** Whether this is a hash as it is kept, and one that may be paid for. */
export function isPasswordHash(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The string format of the Password Hashing Competition. */
function format({ ln, r, p }: Cost, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

function parse(text: string): { readonly cost: Cost; readonly salt: Buffer; readonly hash: Buffer } {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{11,86})\$([\w+/]{22,86})$/.exec(
    text,
  );
  if (!match) throw new Error('not a password hash');
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (ln < 1 || r < 1 || p < 1 || p > MAX_P || memoryOf({ ln, r, p }) > MAX_HASH_MEMORY_BYTES) {
    throw new Error('a password hash that costs too much');
  }
  return {
    cost: { ln, r, p },
    salt: Buffer.from(match[4]!, 'base64'),
    hash: Buffer.from(match[5]!, 'base64'),
  };
}

function memoryOf({ ln, r }: Cost): number {
  return 128 * r * 2 ** ln;
}

/** Unicode has several ways to write the same letters, and keyboards differ. */
function derive(password: string, salt: Buffer, cost: Cost, bytes: number): Promise<Buffer> {
  // OpenSSL wants a little more than the memory itself.
  const options: ScryptOptions = { N: 2 ** cost.ln, r: cost.r, p: cost.p, maxmem: memoryOf(cost) + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, bytes, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
