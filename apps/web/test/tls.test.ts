/**
 * TLS on the same port: a browser, a client, a line person and one without TLS in one room, and a certificate
 * that is exchanged under them.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connect } from '@chat/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, PATIENCE_MS, say, sees, signIn } from './support/browser.js';
import { type CertificateFiles, makeCertificate, OPENSSL } from './support/certificate.js';
import { LinePerson, type RunningServer, startServer } from './support/chat-server.js';

describe.skipIf(!OPENSSL)('TLS on the chat port', { timeout: PATIENCE_MS }, () => {
  let folder: string;
  let used: CertificateFiles;
  let server: RunningServer;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chat-tls-'));
    used = makeCertificate(folder, 'first');
    server = await startServer('--tls-cert', used.cert, '--tls-key', used.key);
  }, PATIENCE_MS);
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, PATIENCE_MS);

  it('has every dialect inside, beside those without it', async () => {
    const tls = { ca: used.ca };
    const ada = await connect(`wss://localhost:${server.port}`, { name: 'Ada', tls });
    const grace = await connect(`tls://localhost:${server.port}`, { name: 'Grace', tls });
    const alan = await connect(`ws://127.0.0.1:${server.port}`, { name: 'Alan' });
    const secretive = await LinePerson.join(server.port, 'Zoë', used.ca);
    const open = await LinePerson.join(server.port, 'Linus');
    const rooms = await Promise.all([ada, grace, alan].map((client) => client.join('lobby')));
    const heard = rooms.map((room) => {
      const texts = new Set<string>();
      room.on('message', ({ value }) => texts.add(value));
      return texts;
    });
    await expect.poll(() => rooms[0]!.memberCount).toBe(5);
    await rooms[0]!.send('over wss');
    await rooms[1]!.send('over tls');
    secretive.say('in lines, over tls');
    open.say('in lines');
    await secretive.hears('Grace: over tls');
    await open.hears('Zoë: in lines, over tls');
    for (const texts of heard) {
      await expect
        .poll(() => [...texts].sort())
        .toEqual(['in lines', 'in lines, over tls', 'over tls', 'over wss']);
    }
    const page = await fetchOver(server.port, used.ca, '/');
    expect(page).toContain('<title>Chat</title>');
    await Promise.all([ada, grace, alan].map((client) => client.close()));
    secretive.leave();
    open.leave();
  });

  it('exchanges its certificate on SIGHUP without dropping anyone', async () => {
    const ada = await connect(`wss://localhost:${server.port}`, { name: 'Ada', tls: { ca: used.ca } });
    const lobby = await ada.join('lobby');
    const states: string[] = [];
    ada.on('state', ({ status }) => states.push(status));
    expect(await commonName(server.port)).toBe('first');

    const next = makeCertificate(folder, 'second');
    copyFileSync(next.cert, used.cert);
    copyFileSync(next.key, used.key);
    const reloaded = server.logged('certificate reloaded');
    server.process.kill('SIGHUP');
    await reloaded;
    expect(await commonName(server.port)).toBe('second');
    await lobby.send('still here');

    // One that cannot be read changes nothing.
    writeFileSync(used.cert, 'not a certificate');
    const refused = server.logged('could not be reloaded');
    server.process.kill('SIGHUP');
    await refused;
    expect(await commonName(server.port)).toBe('second');
    await lobby.send('and still here');
    expect(states).toEqual([]);
    await ada.close();
  });

  it.skipIf(!CHROMIUM)('carries the page, which then connects over wss', async () => {
    const browser = await launch();
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      context.setDefaultTimeout(PATIENCE_MS / 2);
      const page = await context.newPage();
      const sockets: string[] = [];
      page.on('websocket', (socket) => sockets.push(socket.url()));
      await page.goto(`https://127.0.0.1:${server.port}/`);
      await signIn(page, 'Ada');
      await say(page, 'in private, so to speak');
      await sees(page, 'in private, so to speak');
      await page.locator('.message.own').getByText('Delivered').waitFor();
      expect(sockets).toEqual([`wss://127.0.0.1:${server.port}/ws`]);
    } finally {
      await browser.close();
    }
  });
});

function dial(port: number, ca?: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls(
      { port, host: '127.0.0.1', servername: 'localhost', ...(ca ? { ca } : { rejectUnauthorized: false }) },
      () => resolve(socket),
    );
    socket.on('error', reject);
  });
}

/** Whom the certificate names that new connections are shown. */
async function commonName(port: number): Promise<string | string[] | undefined> {
  const socket = await dial(port);
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

async function fetchOver(port: number, ca: string, path: string): Promise<string> {
  const socket = await dial(port, ca);
  socket.setEncoding('utf8').write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}
