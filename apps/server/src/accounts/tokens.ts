/**
 * Tokens of an application: JWTs (RFC 7519) that it has signed, with a secret that both know or with keys of its own.
 *
 * Algorithms are a list that the token does not choose from outside of, and a secret never goes with the algorithms of
 * keys, nor the other way round. A token must say when it ends. Files are looked at before each decision: a key that is
 * gone lets nobody in any more, and what it let in ends. Keys at a URL are fetched, kept and fetched again by `jose`.
 */
import { readFileSync } from 'node:fs';
import type { Logger } from '@chat/server';
import type * as Jose from 'jose';
import { readSecret } from '../command-line/secret.js';
import { UsageError } from '../command-line/usage-error.js';
import { stampOf } from './account-file.js';

/** What a token must be like. */
export interface TokenOptions {
  /** File with a secret, for tokens that are signed with HMAC. */
  readonly secretFile?: string | undefined;
  /** File or `https:` URL of a JWK Set, for tokens that are signed with a key. */
  readonly jwks?: string | undefined;
  /** @defaultValue those of the secret, or of keys */
  readonly algorithms?: readonly string[] | undefined;
  /** One of these must be that of the token. @defaultValue any */
  readonly audience?: readonly string[] | undefined;
  readonly issuer?: readonly string[] | undefined;
  readonly nameClaim: string;
  /** A list of words, or one text of them; a dot leads into an object. */
  readonly rolesClaim: string;
  readonly clockSkewS: number;
  /** Name of the cookie of the upgrade that may carry the token. */
  readonly cookie?: string | undefined;
}

/** What a good token says. */
export interface TokenUser {
  readonly name: string;
  readonly roles: readonly string[];
  readonly expiresInMs: number;
  /** Of the key that it was signed with. */
  readonly edition: string;
}

/** Why a token is not good, as a sentence; `mayPass` where it says nothing about the token. */
export interface TokenRefusal {
  readonly refusal: string;
  readonly mayPass?: true;
}

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
const KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
/** RFC 7518, 3.2: a secret is as long as the hash at least. */
const MIN_SECRET_BYTES = 32;
/** Longer ones are not looked at. */
const MAX_TOKEN_LENGTH = 16_384;
const LOOK_EVERY_MS = 1000;
const AT_A_URL = 'at a URL';

/** What tokens are checked with, and by which editions it is known. */
interface Keys {
  readonly find: Jose.JWTVerifyGetKey;
  readonly editions: ReadonlySet<string>;
}

export class Tokens {
  readonly #options: TokenOptions;
  readonly #jose: typeof Jose;
  readonly #logger: Logger;
  readonly #algorithms: string[];
  readonly #file: string | undefined;
  #keys: Keys;
  #stamp: string;
  #reading: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  onChange: () => void = () => {};

  /** @throws UsageError (as a rejection) when options do not go together, or a file cannot be used */
  static async open(options: TokenOptions, logger: Logger): Promise<Tokens> {
    const jose = await import('jose');
    const { secretFile, jwks } = options;
    const file = secretFile ?? (jwks !== undefined && isUrl(jwks) ? undefined : jwks);
    const stamp = file === undefined ? '' : stampOf(file);
    return new Tokens(options, logger, jose, file, stamp, await readKeys(jose, options));
  }

  private constructor(
    options: TokenOptions,
    logger: Logger,
    jose: typeof Jose,
    file: string | undefined,
    stamp: string,
    keys: Keys,
  ) {
    this.#options = options;
    this.#logger = logger;
    this.#jose = jose;
    this.#file = file;
    this.#stamp = stamp;
    this.#keys = keys;
    this.#algorithms = algorithmsOf(options);
    if (file !== undefined) this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** Whether the key of that edition is one still. */
  has(edition: string): boolean {
    return this.#keys.editions.has(edition);
  }

  /** The token that somebody shows with the request itself. */
  tokenOf(request: {
    readonly headers: { readonly authorization?: string | undefined };
    readonly cookies: ReadonlyMap<string, string>;
  }): string | undefined {
    const { cookie } = this.#options;
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return bearer ?? (cookie === undefined ? undefined : request.cookies.get(cookie));
  }

  async check(token: string): Promise<TokenUser | TokenRefusal> {
    if (token.length > MAX_TOKEN_LENGTH) return { refusal: 'the token is too long' };
    await this.look();
    const { audience, issuer, clockSkewS } = this.#options;
    const { editions } = this.#keys;
    try {
      const { payload, key } = await this.#jose.jwtVerify(token, this.#keys.find, {
        algorithms: this.#algorithms,
        requiredClaims: ['exp'],
        clockTolerance: clockSkewS,
        ...(audience ? { audience: [...audience] } : {}),
        ...(issuer ? { issuer: [...issuer] } : {}),
      });
      const edition = await this.#editionOf(key, editions);
      return this.#userOf(payload, edition);
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Reads the file again if it has changed. One that cannot be read holds no key. */
  async look(): Promise<void> {
    if (this.#file === undefined) return;
    const stamp = stampOf(this.#file);
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#reading = this.#read();
    }
    await this.#reading;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    try {
      this.#keys = await readKeys(this.#jose, this.#options);
      this.#logger.info({ keys: this.#keys.editions.size }, 'the keys of tokens have changed');
    } catch (err) {
      this.#keys = {
        find: () => {
          throw new this.#jose.errors.JWKSNoMatchingKey();
        },
        editions: new Set(),
      };
      this.#logger.error({ err }, 'the keys of tokens cannot be read: no token is good');
    }
    this.onChange();
  }

  async #editionOf(key: Jose.CryptoKey | Uint8Array, editions: ReadonlySet<string>): Promise<string> {
    if (key instanceof Uint8Array || editions.has(AT_A_URL)) return [...editions][0] ?? '';
    return this.#jose.calculateJwkThumbprint(await this.#jose.exportJWK(key));
  }

  #userOf(payload: Jose.JWTPayload, edition: string): TokenUser | TokenRefusal {
    const { nameClaim, rolesClaim, clockSkewS } = this.#options;
    const name = claimAt(payload, nameClaim);
    if (typeof name !== 'string' || name === '') return { refusal: `the token has no ${nameClaim}` };
    const roles = claimAt(payload, rolesClaim);
    const words = typeof roles === 'string' ? roles.split(/[\s,]+/) : Array.isArray(roles) ? roles : [];
    const expiresInMs = (payload.exp! + clockSkewS) * 1000 - Date.now();
    return {
      name,
      roles: words.filter((word): word is string => typeof word === 'string' && word !== ''),
      expiresInMs: Math.max(1, expiresInMs),
      edition,
    };
  }

  /** Nothing of the token is in it. */
  #refusal(error: unknown): TokenRefusal {
    const { code, claim } = Object(error) as { readonly code?: string; readonly claim?: string };
    switch (code) {
      case 'ERR_JWT_EXPIRED':
        return { refusal: 'the token has expired' };
      case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
        return { refusal: CLAIMS[claim ?? ''] ?? 'the token is not good here' };
      case 'ERR_JOSE_ALG_NOT_ALLOWED':
      case 'ERR_JOSE_NOT_SUPPORTED':
        return { refusal: 'the token is signed in a way that is not taken here' };
      case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      case 'ERR_JWKS_NO_MATCHING_KEY':
      case 'ERR_JWKS_MULTIPLE_MATCHING_KEYS':
        return { refusal: 'the token is signed by somebody else' };
      case 'ERR_JWS_INVALID':
      case 'ERR_JWT_INVALID':
        return { refusal: 'this is no token' };
      default:
        if (!isUrl(this.#options.jwks ?? '')) return { refusal: 'the token is not good here' };
        this.#logger.error({ err: error, url: this.#options.jwks }, 'the keys of tokens cannot be fetched');
        return { refusal: 'the token cannot be checked now', mayPass: true };
    }
  }
}

const CLAIMS: Readonly<Record<string, string>> = {
  aud: 'the token is for somebody else',
  iss: 'the token is from somebody else',
  exp: 'the token does not say when it ends',
  nbf: 'the token is not good yet',
};

/** Whether a text has the form of a token: three parts in base64url, the first of them an object of JSON. */
export function looksLikeToken(text: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/** @throws UsageError (as a rejection); nothing of the secret, or of a key, is in the message */
async function readKeys(jose: typeof Jose, { secretFile, jwks }: TokenOptions): Promise<Keys> {
  if (secretFile !== undefined) {
    const secret = Buffer.from(readSecret(secretFile, 'secret of the tokens'));
    if (secret.length < MIN_SECRET_BYTES) {
      const message = `the secret in the file ${secretFile} must have at least ${MIN_SECRET_BYTES} bytes, got ${secret.length}`;
      throw new UsageError(message);
    }
    const jwk = { kty: 'oct', k: secret.toString('base64url') };
    return { find: () => secret, editions: new Set([await jose.calculateJwkThumbprint(jwk)]) };
  }
  const where = jwks ?? '';
  if (isUrl(where)) {
    return { find: jose.createRemoteJWKSet(new URL(where)), editions: new Set([AT_A_URL]) };
  }
  try {
    const set = JSON.parse(readFileSync(where, 'utf8')) as Jose.JSONWebKeySet;
    const find = jose.createLocalJWKSet(set);
    const editions = await Promise.all(set.keys.map((key) => jose.calculateJwkThumbprint(key)));
    return { find, editions: new Set(editions) };
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
    throw new UsageError(`cannot read the keys of tokens in ${where}: ${reason}`);
  }
}

/** @throws UsageError */
function algorithmsOf({ secretFile, algorithms }: TokenOptions): string[] {
  const possible: readonly string[] = secretFile === undefined ? KEY_ALGORITHMS : SECRET_ALGORITHMS;
  const wrong = algorithms?.find((algorithm) => !possible.includes(algorithm));
  if (wrong !== undefined) {
    const what = secretFile === undefined ? 'keys' : 'a secret';
    throw new UsageError(`--jwt-algorithm ${wrong} does not go with ${what}: ${possible.join(', ')} do`);
  }
  return [...(algorithms ?? possible)];
}

/** Claims have names with dots, too: what is named so counts before what a dot leads to. */
function claimAt(payload: Jose.JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
