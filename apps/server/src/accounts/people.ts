/**
 * Who people are: what `chat-server` answers when somebody wants in.
 *
 * Accounts have a name and a password each. A group may have one password for all, with free names. Tokens are those of
 * an application. Everybody else is a guest, where guests are let in, under a name that is no account's. What let a
 * session in is kept with it as `proof`; when that is good no more, the session ends at once.
 */
import type { AuthenticateResult, ChatServer, Hooks, Logger, SessionInfo, Visitor } from '@chat/server';
import { guesserKey } from '../guesser-key.js';
import { Accounts, editionOf } from './accounts.js';
import { type GroupPassword, GroupPasswordFile } from './group-password.js';
import { type Guess, GuessThrottle } from './guess-throttle.js';
import { PasswordHasher, TooBusy } from './password-hash.js';

/** What people may show, and what is asked of them. */
export interface PeopleOptions {
  /** File with the accounts; without it there are none. */
  readonly accountFile?: string | undefined;
  /** File with one password for all. */
  readonly passwordFile?: string | undefined;
  /** Whether those are let in who show nothing. */
  readonly guests: boolean;
}

/** What the hooks of a session know of its user. */
export interface PersonClaims {
  /** Name of the account, or of the user of a token; absent for guests, and where names are free. */
  readonly user?: string;
  readonly roles?: readonly string[];
  /** What let it in. */
  readonly proof: string;
}

/** Parts that tests replace. */
export interface PeopleParts {
  readonly hasher?: PasswordHasher;
  readonly now?: () => number;
}

const GUEST: PersonClaims = { proof: 'guest' };
const GROUP = 'group ';
const ACCOUNT = 'account ';
const WRONG = 'wrong name or password';
const TOO_BUSY_RETRY_MS = 2000;
/** Nobody has a longer one, and hashing it costs time. */
const MAX_PASSWORD_LENGTH = 1024;

export class People {
  readonly #accounts: Accounts | undefined;
  readonly #group: GroupPassword | undefined;
  readonly #guests: boolean;
  readonly #hasher: PasswordHasher;
  readonly #throttle: GuessThrottle;
  readonly #logger: Logger;
  #server: ChatServer | undefined;

  /** @throws AccountFileError, UsageError when a file cannot be used */
  constructor(
    { accountFile, passwordFile, guests }: PeopleOptions,
    logger: Logger,
    { hasher = new PasswordHasher(), now }: PeopleParts = {},
  ) {
    this.#logger = logger;
    this.#guests = guests;
    this.#hasher = hasher;
    this.#throttle = new GuessThrottle(now);
    this.#accounts = accountFile === undefined ? undefined : new Accounts(accountFile, logger);
    this.#group = passwordFile === undefined ? undefined : new GroupPasswordFile(passwordFile, logger);
    for (const source of [this.#accounts, this.#group]) if (source) source.onChange = () => this.#sweep();
  }

  /** For the server whose people these are. */
  readonly hooks: Pick<Hooks, 'authenticate' | 'isReserved'> = {
    authenticate: (credentials, visitor) => this.#decide(credentials, visitor),
    isReserved: (name) => this.#accounts?.has(name) === true,
  };

  /** Ends sessions of `server` whose proof is good no more, from now on. */
  watch(server: ChatServer): void {
    this.#server = server;
    // The file may change between the decision and the session.
    const look = (session: SessionInfo): void => {
      this.#look();
      if (!this.#isGood(session)) this.#sweep();
    };
    server.on('session-opened', look);
    server.on('session-resumed', look);
  }

  close(): void {
    this.#accounts?.close();
    this.#group?.close();
  }

  async #decide(credentials: unknown, visitor: Visitor): Promise<AuthenticateResult> {
    this.#look();
    const password = passwordIn(credentials);
    if (password !== undefined) return this.#decideByPassword(password, visitor);
    const { name } = visitor;
    const account = this.#accounts?.find(name);
    if (account) {
      return { ok: false, asks: 'password', reason: `the name ${account.name} has a password: it is needed` };
    }
    if (this.#group || !this.#guests) {
      return { ok: false, asks: 'password', reason: 'a password is needed here' };
    }
    return { ok: true, claims: GUEST, takesOver: false };
  }

  async #decideByPassword(password: string, visitor: Visitor): Promise<AuthenticateResult> {
    const { name, address, request } = visitor;
    const account = this.#accounts?.find(name);
    const guesser = { address: guesserKey(address), clientId: request.clientId, account: account?.name };
    const guess = this.#throttle.try(guesser);
    if (typeof guess === 'number') {
      const reason = 'too many passwords were tried: wait a moment';
      return { ok: false, code: 'rate-limited', reason, retryAfterMs: guess };
    }
    try {
      if (account) return await this.#decideByAccount(account.name, password, guess);
      // The same work for a name that nobody has.
      if (!this.#group?.is(password)) {
        await this.#hasher.verify(short(password), undefined);
        return this.#wrong(visitor);
      }
    } catch (error) {
      if (!(error instanceof TooBusy)) throw error;
      const reason = 'too many want in at once: wait a moment';
      return { ok: false, code: 'overloaded', reason, retryAfterMs: TOO_BUSY_RETRY_MS };
    }
    guess.right();
    return { ok: true, claims: { proof: GROUP + this.#group.edition }, takesOver: false };
  }

  async #decideByAccount(name: string, password: string, guess: Guess): Promise<AuthenticateResult> {
    const account = this.#accounts?.find(name);
    const isRight = await this.#hasher.verify(short(password), account?.password);
    // It may have been changed, or removed, while the work was done.
    this.#look();
    const now = this.#accounts?.find(name);
    if (!isRight || !account || !now || editionOf(now) !== editionOf(account)) {
      return { ok: false, asks: 'password', reason: WRONG };
    }
    guess.right();
    const claims: PersonClaims = { user: account.name, proof: `${ACCOUNT}${editionOf(account)}` };
    return { ok: true, name: account.name, claims, takesOver: true };
  }

  #wrong({ address }: Visitor): AuthenticateResult {
    this.#logger.debug({ address }, 'a wrong password');
    return { ok: false, asks: 'password', reason: WRONG };
  }

  #look(): void {
    this.#accounts?.look();
    this.#group?.look();
  }

  #sweep(): void {
    const ended = this.#server?.revoke(
      (session) => !this.#isGood(session),
      'what let you in is good no more',
    );
    if (ended) this.#logger.info({ ended }, 'sessions were ended: what let them in is good no more');
  }

  #isGood({ name, claims }: SessionInfo): boolean {
    const { proof, user } = (claims ?? {}) as Partial<PersonClaims>;
    // One that was there before a restart: it is asked when it comes back.
    if (proof === undefined) return true;
    if (proof.startsWith(ACCOUNT)) {
      const account = this.#accounts?.find(user ?? '');
      return account !== undefined && proof === `${ACCOUNT}${editionOf(account)}`;
    }
    if (this.#accounts?.has(name)) return false;
    return proof.startsWith(GROUP) ? proof === GROUP + this.#group?.edition : true;
  }
}

/** A password by itself, or as an object says it. */
function passwordIn(credentials: unknown): string | undefined {
  if (typeof credentials === 'string') return credentials;
  const { password } = Object(credentials) as { readonly password?: unknown };
  return typeof password === 'string' ? password : undefined;
}

/** What cannot be a password is compared like one, at no greater price. */
function short(password: string): string {
  return password.length > MAX_PASSWORD_LENGTH ? '' : password;
}
