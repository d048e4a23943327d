import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ChatServer, type ChatServerOptions, createChatServer } from '@chat/server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWebHandler, sendText } from '../../src/http/web.js';
import { readWebAssets, type WebAssets } from '../../src/http/web-assets.js';
import { ask, exchange } from '../support/raw-http.js';

const PAGE = `<!doctype html><title>chat</title>${'<p>word</p>'.repeat(100)}`;

let folder: string;
let assets: WebAssets;
let server: ChatServer | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-web-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, 'icon.svg'), '<svg/>');
  writeFileSync(join(folder, 'assets', 'index-1a2b.js'), 'export {};');
  writeFileSync(join(folder, 'assets', 'index-1a2b.js.map'), '{}');
  writeFileSync(join(folder, '.secret'), 'not to be served');
  assets = readWebAssets(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(
  options: ChatServerOptions = {},
  http: { readonly keepAliveTimeoutMs?: number } = {},
  frameAncestors: readonly string[] = [],
): Promise<number> {
  server = createChatServer({
    ...options,
    http: {
      ...http,
      handler: createWebHandler({
        assets,
        metrics: (_, response) => sendText(response, 200, 'metrics'),
        frameAncestors,
      }),
    },
  });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  return address.kind === 'tcp' ? address.port : 0;
}

describe('readWebAssets', () => {
  it('takes what a page consists of, under the paths that get it', () => {
    expect([...assets.keys()].sort()).toEqual(['/', '/assets/index-1a2b.js', '/icon.svg']);
  });

  it('has nothing where nothing was built', () => {
    expect(readWebAssets(join(folder, 'nothing')).size).toBe(0);
  });
});

describe('the web client over HTTP', () => {
  it('gives the page, to be asked for again each time', async () => {
    const port = await serve();
    const { status, headers, body } = await ask(port, '/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('etag')).toMatch(/^"[\w-]{22}"$/);
    expect(body).toBe(PAGE);
  });

  it('lets files be kept for good whose names change with their content, and no others', async () => {
    const port = await serve();
    const cacheControl = async (path: string): Promise<string | undefined> =>
      (await ask(port, path)).headers.get('cache-control');
    expect(await cacheControl('/assets/index-1a2b.js')).toBe('public, max-age=31536000, immutable');
    expect(await cacheControl('/icon.svg')).toBe('no-cache');
    expect(await cacheControl('/nothing')).toBe('no-store');
  });

  it('compresses for who can read that, and says that it depends', async () => {
    const port = await serve();
    const plain = await ask(port, '/');
    const zipped = await ask(port, '/', { 'Accept-Encoding': 'br, gzip;q=0.8' });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(zipped.headers.get('vary')).toBe('Accept-Encoding');
    expect(gunzipSync(Buffer.from(zipped.body, 'latin1')).toString()).toBe(PAGE);
    expect(zipped.body.length).toBeLessThan(PAGE.length);
    expect(zipped.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    for (const refused of ['gzip;q=0', 'br', 'identity, gzip;q=0.0']) {
      const answer = await ask(port, '/', { 'Accept-Encoding': refused });
      expect(answer.headers.has('content-encoding')).toBe(false);
    }
  });

  it('answers 304 to who has it already', async () => {
    const port = await serve();
    const etag = (await ask(port, '/')).headers.get('etag')!;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, body } = await ask(port, '/', { 'If-None-Match': known });
      expect([status, body]).toEqual([304, '']);
    }
    expect((await ask(port, '/', { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  it('answers HEAD like GET, without the body', async () => {
    const port = await serve();
    const { status, headers, body } = await ask(port, '/', {}, 'HEAD');
    expect([status, body]).toEqual([200, '']);
    expect(headers.get('content-length')).toBe(String(PAGE.length));
  });

  it('forbids the page whatever it does not need', async () => {
    const port = await serve();
    for (const path of ['/', '/assets/index-1a2b.js', '/nothing']) {
      const { headers } = await ask(port, path);
      const policy = headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it.each([
    '/nothing',
    '/index.html/..',
    '/../package.json',
    '/%2e%2e/package.json',
    '/.secret',
    '/assets/',
    '/assets/index-1a2b.js.map',
    '//evil.example/',
    '/__proto__',
  ])('has nothing at %s', async (path) => {
    const { status, body } = await ask(await serve(), path);
    expect([status, body]).toEqual([404, 'not found\n']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'refuses %s, and says what it takes',
    async (method) => {
      const port = await serve();
      for (const path of ['/', '/metrics', '/nothing']) {
        const { status, headers } = await ask(port, path, {}, method);
        expect(status).toBe(405);
        expect(headers.get('allow')).toBe('GET, HEAD');
      }
    },
  );

  it('has a sentence for people where the web client was not built', async () => {
    server = createChatServer({
      http: { handler: createWebHandler({ assets: new Map(), metrics: () => {} }) },
    });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    const { status, body } = await ask(address.kind === 'tcp' ? address.port : 0, '/');
    expect(status).toBe(200);
    expect(body).toContain('This is a chat server.');
  });

  it('answers 431 to a head that is too large, whether in one line or in many', async () => {
    const port = await serve();
    expect((await ask(port, '/', { Cookie: 'x'.repeat(20_000) })).status).toBe(431);
    expect((await ask(port, `/${'x'.repeat(20_000)}`)).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X-${i}`, 'some words']));
    expect((await ask(port, '/', many)).status).toBe(431);
    // And nobody else notices.
    expect((await ask(port, '/')).status).toBe(200);
  });

  it('does not wait for a request that dribbles in', async () => {
    const port = await serve({ handshakeTimeoutMs: 300 });
    const { status } = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow');
    expect(status).toBe(408);
  });

  it('does not wait for ever for a second request on a connection that is kept', async () => {
    const port = await serve({}, { keepAliveTimeoutMs: 300 });
    const { body } = await exchange(port, `GET /icon.svg HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(body).toMatch(/^<svg\/>/);
  });

  it('answers what is no HTTP with 400, and goes on', async () => {
    const port = await serve();
    expect((await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n')).status).toBe(400);
    expect((await exchange(port, 'GET / HTTP/9.9\r\n\r\n')).status).toBe(400);
    expect((await ask(port, '/')).status).toBe(200);
  });
});

describe('the policy of the page', () => {
  it('lets no page show it in a frame, but for those that are named', async () => {
    const policyOf = async (port: number): Promise<string> =>
      (await ask(port, '/')).headers.get('content-security-policy') ?? '';
    expect(await policyOf(await serve())).toContain("frame-ancestors 'none';");
    await server?.close();
    const port = await serve({}, {}, ["'self'", 'https://www.example.org']);
    expect(await policyOf(port)).toContain("frame-ancestors 'self' https://www.example.org;");
  });
});
