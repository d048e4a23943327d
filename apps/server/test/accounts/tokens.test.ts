/** Tokens of an application: what is taken, what is refused and in which words, and keys that are exchanged. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatClient, ClientError, connect } from '@chat/client';
import { type ChatServer, createChatServer } from '@chat/server';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { People } from '../../src/accounts/people.js';
import { type TokenOptions, Tokens } from '../../src/accounts/tokens.js';

const SECRET = 'a secret of an application, 32 bytes or more';
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let secretFile: string;
let closing: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-tokens-'));
  secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  closing = [];
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

const DEFAULTS = { nameClaim: 'sub', rolesClaim: 'roles', clockSkewS: 30 };

async function open(options: Partial<TokenOptions>): Promise<Tokens> {
  const tokens = await Tokens.open({ ...DEFAULTS, ...options }, silent);
  closing.push(() => tokens.close());
  return tokens;
}

const nowS = (): number => Math.floor(Date.now() / 1000);

function sign(
  payload: JWTPayload,
  alg = 'HS256',
  key: CryptoKey | Uint8Array = Buffer.from(SECRET),
  kid?: string,
) {
  const claims = { sub: 'ada', exp: nowS() + 600, ...payload };
  return new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);
}

describe('a token that is signed with a secret', () => {
  it('says name, roles, and how long it is good', async () => {
    const tokens = await open({ secretFile });
    const user = await tokens.check(await sign({ roles: ['moderator', 7, ''], exp: nowS() + 100 }));
    expect(user).toMatchObject({ name: 'ada', roles: ['moderator'] });
    if ('refusal' in user) throw new Error(user.refusal);
    expect(user.expiresInMs).toBeGreaterThan(120_000);
    expect(user.expiresInMs).toBeLessThanOrEqual(130_000);
    expect(tokens.has(user.edition)).toBe(true);
  });

  it('may have name and roles elsewhere', async () => {
    const tokens = await open({
      secretFile,
      nameClaim: 'preferred_username',
      rolesClaim: 'realm_access.roles',
    });
    const token = await sign({ preferred_username: 'Ada L', realm_access: { roles: ['a', 'b'] } });
    expect(await tokens.check(token)).toMatchObject({ name: 'Ada L', roles: ['a', 'b'] });
    const dotted = await open({ secretFile, rolesClaim: 'https://example.org/roles' });
    expect(await dotted.check(await sign({ 'https://example.org/roles': 'a b' }))).toMatchObject({
      roles: ['a', 'b'],
    });
  });

  it.each<[string, (token: string) => Promise<string> | string, string]>([
    ['has run out', () => sign({ ...OURS, exp: nowS() - 60 }), 'the token has expired'],
    ['says no end', () => sign(without('exp')), 'the token does not say when it ends'],
    ['is good later only', () => sign({ ...OURS, nbf: nowS() + 600 }), 'the token is not good yet'],
    ['is for others', () => sign({ ...OURS, aud: 'shop' }), 'the token is for somebody else'],
    ['is for nobody in particular', () => sign(without('aud')), 'the token is for somebody else'],
    [
      'is from others',
      () => sign({ aud: 'chat', iss: 'https://evil.example' }),
      'the token is from somebody else',
    ],
    ['has no name', () => sign({ ...OURS, sub: '' }), 'the token has no sub'],
    [
      'has a name that is no text',
      () => sign({ ...OURS, sub: { a: 1 } as unknown as string }),
      'the token has no sub',
    ],
    [
      'is signed by others',
      () => sign(OURS, 'HS256', Buffer.alloc(32)),
      'the token is signed by somebody else',
    ],
    ['is signed otherwise', () => sign(OURS, 'HS512'), 'the token is signed in a way that is not taken here'],
    ['is not signed', () => unsigned(OURS), 'the token is signed in a way that is not taken here'],
    [
      'was altered',
      (token) => token.replace(/\..+\./, `.${btoa('{"sub":"root","exp":9999999999}')}.`),
      'signed by',
    ],
    ['is none', () => 'hunter2', 'this is no token'],
    ['is much too long', () => 'x'.repeat(20_000), 'the token is too long'],
  ])('is refused when it %s, in words that say nothing of it', async (_what, make, words) => {
    const tokens = await open({
      secretFile,
      algorithms: ['HS256'],
      audience: ['chat'],
      issuer: ['https://app.example'],
    });
    expect(await tokens.check(await sign(OURS))).toMatchObject({ name: 'ada' });
    const answer = await tokens.check(await make(await sign(OURS)));
    expect(answer).toMatchObject({ refusal: expect.stringContaining(words) });
    expect(Object.keys(answer)).toEqual(['refusal']);
    expect(JSON.stringify(answer)).not.toMatch(/evil|hunter2/);
  });

  it('may be a little late where clocks differ', async () => {
    const tokens = await open({ secretFile, clockSkewS: 90 });
    expect(await tokens.check(await sign({ exp: nowS() - 60 }))).toMatchObject({ name: 'ada' });
  });

  it('is good for nothing once the secret was exchanged', async () => {
    const tokens = await open({ secretFile });
    const token = await sign({});
    const user = await tokens.check(token);
    writeFileSync(secretFile, 'another secret of the application, 32 bytes\n');
    expect(await tokens.check(token)).toEqual({ refusal: 'the token is signed by somebody else' });
    expect('edition' in user && tokens.has(user.edition)).toBe(false);
    writeFileSync(secretFile, '');
    expect(await tokens.check(token)).toHaveProperty('refusal');
  });
});

const OURS: JWTPayload = { aud: 'chat', iss: 'https://app.example' };

/** Ours, but for a claim. */
function without(claim: string): JWTPayload {
  return { ...OURS, [claim]: undefined };
}

/** RFC 8725, 2.1: the oldest trick. */
function unsigned(payload: JWTPayload): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: 'ada', exp: nowS() + 600, ...payload })}.`;
}

describe('a token that is signed with a key', () => {
  async function keys(...kids: readonly string[]) {
    const pairs = await Promise.all(kids.map(() => generateKeyPair('ES256')));
    const jwks = await Promise.all(
      pairs.map(async ({ publicKey }, i) => ({
        ...(await exportJWK(publicKey)),
        kid: kids[i]!,
        alg: 'ES256',
      })),
    );
    return {
      pairs,
      set: (...indexes: readonly number[]) => JSON.stringify({ keys: indexes.map((i) => jwks[i]) }),
    };
  }

  it('is good as long as its key is in the file', async () => {
    const { pairs, set } = await keys('one', 'two');
    const file = join(folder, 'jwks.json');
    writeFileSync(file, set(0));
    const tokens = await open({ jwks: file });
    const [one, two] = await Promise.all(
      pairs.map(({ privateKey }, i) => sign({}, 'ES256', privateKey, ['one', 'two'][i])),
    );
    const user = await tokens.check(one!);
    expect(user).toMatchObject({ name: 'ada' });
    expect(await tokens.check(two!)).toEqual({ refusal: 'the token is signed by somebody else' });
    writeFileSync(file, set(0, 1));
    expect(await tokens.check(two!)).toMatchObject({ name: 'ada' });
    if ('refusal' in user) throw new Error(user.refusal);
    expect(tokens.has(user.edition)).toBe(true);
    writeFileSync(file, set(1));
    expect(await tokens.check(one!)).toEqual({ refusal: 'the token is signed by somebody else' });
    expect(tokens.has(user.edition)).toBe(false);
  });

  it('may not be signed with the public key as a secret', async () => {
    const { set } = await keys('one');
    const file = join(folder, 'jwks.json');
    writeFileSync(file, set(0));
    const tokens = await open({ jwks: file });
    const forged = await sign({}, 'HS256', Buffer.from(set(0)), 'one');
    expect(await tokens.check(forged)).toEqual({
      refusal: 'the token is signed in a way that is not taken here',
    });
    await expect(open({ jwks: file, algorithms: ['HS256'] })).rejects.toThrow(/HS256 does not go with keys/);
    await expect(open({ secretFile, algorithms: ['none'] })).rejects.toThrow(
      /none does not go with a secret/,
    );
  });

  it('is checked with keys from a URL, and may come again while that does not answer', async () => {
    const { pairs, set } = await keys('one');
    let status = 500;
    const http: Server = createServer((_request, response) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(status === 200 ? set(0) : '');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    closing.push(
      () => new Promise((resolve) => http.close(resolve)),
      () => http.closeAllConnections(),
    );
    const tokens = await open({ jwks: `http://127.0.0.1:${(http.address() as AddressInfo).port}/jwks` });
    const token = await sign({}, 'ES256', pairs[0]!.privateKey, 'one');
    expect(await tokens.check(token)).toEqual({ refusal: 'the token cannot be checked now', mayPass: true });
    status = 200;
    expect(await tokens.check(token)).toMatchObject({ name: 'ada' });
  });

  it('needs a file that can be read', async () => {
    const file = join(folder, 'jwks.json');
    await expect(open({ jwks: file })).rejects.toThrow(/cannot read the keys of tokens/);
    writeFileSync(file, 'nonsense');
    await expect(open({ jwks: file })).rejects.toThrow(/it is no JSON/);
    writeFileSync(secretFile, 'short');
    await expect(open({ secretFile })).rejects.toThrow(/at least 32 bytes, got 5/);
  });
});

describe('people with tokens', () => {
  async function serve(options: Partial<TokenOptions> = {}): Promise<{ server: ChatServer; url: string }> {
    const tokens = { ...DEFAULTS, secretFile, ...options };
    const people = await People.open({ tokens, guests: false }, silent);
    const server = createChatServer({ hooks: people.hooks });
    people.watch(server);
    closing.push(
      () => people.close(),
      () => server.close(),
    );
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return { server, url: `127.0.0.1:${port}` };
  }

  const ended = (client: ChatClient): Promise<unknown> =>
    new Promise((resolve) =>
      client.on('state', (state) => state.status === 'closed' && resolve(state.reason)),
    );

  it('come in as whom the token says, and not without', async () => {
    const { server, url } = await serve();
    const ada = await connect(`tcp://${url}`, {
      name: '',
      credentials: { token: await sign({ roles: ['owner'] }) },
    });
    expect(ada.name).toBe('ada');
    expect(server.sessions()[0]?.claims).toMatchObject({ user: 'ada', roles: ['owner'] });
    const none = await connect(`tcp://${url}`, { name: 'bob' }).catch((error: unknown) => error);
    expect(ClientError.is(none) && none.code).toBe('ERR_CLIENT_UNAUTHORIZED');
    await ada.close();
  });

  it('are out when the secret is exchanged', async () => {
    const { url } = await serve();
    const ada = await connect(`tcp://${url}`, { name: '', credentials: await sign({}) });
    const end = ended(ada);
    writeFileSync(secretFile, 'another secret of the application, 32 bytes\n');
    expect(await end).toMatchObject({ code: 'ERR_CLIENT_UNAUTHORIZED' });
  });

  it('show another token when one has run out, and lose nothing', async () => {
    const { url } = await serve({ clockSkewS: 0 });
    let shown = 0;
    const credentials = async (): Promise<string> => sign({ exp: nowS() + (shown++ === 0 ? 2 : 600) });
    const ada = await connect(`tcp://${url}`, { name: '', credentials });
    const again = new Promise<void>((resolve) => {
      ada.on('state', ({ status }) => status === 'open' && resolve());
    });
    await again;
    expect(shown).toBe(2);
    await ada.close();
  });
});
