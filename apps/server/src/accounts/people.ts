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
import { looksLikeToken, type TokenOptions, Tokens } from './tokens.js';

/** What people may show, and what is asked of them. */
export interface PeopleOptions {
  /** File with the accounts; without it there are none. */
  readonly accountFile?: string | undefined;
  /** File with one password for all. */
  readonly passwordFile?: string | undefined;
  /** What a token of an application must be like. */
  readonly tokens?: TokenOptions | undefined;
  /** Whether a client is whom its certificate names. */
  readonly certificates?: boolean;
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
const TOKEN = 'token ';
const CERTIFICATE = 'certificate';
const WRONG = 'wrong name or password';
const TOO_BUSY_RETRY_MS = 2000;
/** What a client is told to wait when keys cannot be fetched. */
const NO_KEYS_RETRY_MS = 5000;
/** Nobody has a longer one, and hashing it costs time. */
const MAX_PASSWORD_LENGTH = 1024;

/** Whoever signs tokens and certificates does not know the accounts here. */
const OF_AN_ACCOUNT: AuthenticateResult = {
  ok: false,
  code: 'name-taken',
  reason: 'an account here has this name, or one that looks like it',
};

export class People {
  readonly #accounts: Accounts | undefined;
  readonly #group: GroupPassword | undefined;
  readonly #tokens: Tokens | undefined;
  readonly #guests: boolean;
  readonly #certificates: boolean;
  readonly #hasher: PasswordHasher;
  readonly #throttle: GuessThrottle;
  readonly #logger: Logger;
  #server: ChatServer | undefined;

  /** @throws AccountFileError, UsageError (as a rejection) when a file cannot be used */
  static async open(options: PeopleOptions, logger: Logger, parts: PeopleParts = {}): Promise<People> {
    const tokens = options.tokens && (await Tokens.open(options.tokens, logger));
    return new People(options, logger, tokens, parts);
  }

  private constructor(
    { accountFile, passwordFile, guests, certificates = false }: PeopleOptions,
    logger: Logger,
    tokens: Tokens | undefined,
    { hasher = new PasswordHasher(), now }: PeopleParts,
  ) {
    this.#tokens = tokens;
    this.#logger = logger;
    this.#guests = guests;
    this.#certificates = certificates;
    this.#hasher = hasher;
    this.#throttle = new GuessThrottle(now);
    this.#accounts = accountFile === undefined ? undefined : new Accounts(accountFile, logger);
    this.#group = passwordFile === undefined ? undefined : new GroupPasswordFile(passwordFile, logger);
    for (const source of [this.#accounts, this.#group, this.#tokens])
      if (source) source.onChange = () => this.#sweep();
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
    this.#tokens?.close();
  }

  async #decide(credentials: unknown, visitor: Visitor): Promise<AuthenticateResult> {
    this.#look();
    const token = this.#tokens && tokenIn(credentials, visitor, this.#tokens);
    if (this.#tokens && token !== undefined) return this.#decideByToken(token, this.#tokens);
    const password = passwordIn(credentials);
    if (password !== undefined) return this.#decideByPassword(password, visitor);
    const { certificate } = this.#certificates ? visitor.request : {};
    if (certificate) return this.#decideByCertificate(certificate.subject.CN);
    const { name } = visitor;
    const account = this.#accounts?.find(name);
    if (account) {
      return { ok: false, asks: 'password', reason: `the name ${account.name} has a password: it is needed` };
    }
    if (this.#group || !this.#guests) {
      const reason = this.#group || this.#accounts ? 'a password is needed here' : 'a token is needed here';
      return { ok: false, asks: 'password', reason };
    }
    return { ok: true, claims: GUEST, takesOver: false };
  }

  async #decideByToken(token: string, tokens: Tokens): Promise<AuthenticateResult> {
    const user = await tokens.check(token);
    if ('refusal' in user) {
      const { refusal: reason, mayPass } = user;
      return mayPass
        ? { ok: false, code: 'overloaded', reason, retryAfterMs: NO_KEYS_RETRY_MS }
        : { ok: false, reason };
    }
    const { name, roles, expiresInMs, edition } = user;
    if (this.#accounts?.has(name)) return OF_AN_ACCOUNT;
    const claims: PersonClaims = { user: name, roles, proof: TOKEN + edition };
    return { ok: true, name, claims, expiresInMs, takesOver: true };
  }

  /** The authority was checked with the connection. Some certificates name several: they say nothing. */
  #decideByCertificate(name: unknown): AuthenticateResult {
    if (typeof name !== 'string' || name === '') return { ok: false, reason: 'the certificate names nobody' };
    if (this.#accounts?.has(name)) return OF_AN_ACCOUNT;
    const claims: PersonClaims = { user: name, proof: CERTIFICATE };
    return { ok: true, name, claims, takesOver: true };
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
    if (proof.startsWith(TOKEN)) return this.#tokens?.has(proof.slice(TOKEN.length)) === true;
    return proof.startsWith(GROUP) ? proof === GROUP + this.#group?.edition : true;
  }
}

/** A token that is shown as credentials, or with the request. */
function tokenIn(credentials: unknown, { request }: Visitor, tokens: Tokens): string | undefined {
  if (credentials === undefined) return tokens.tokenOf(request);
  const { token } = Object(credentials) as { readonly token?: unknown };
  if (typeof token === 'string') return token;
  const text = passwordIn(credentials);
  return text !== undefined && looksLikeToken(text) ? text : undefined;
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
