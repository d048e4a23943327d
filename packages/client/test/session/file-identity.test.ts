import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FrameType, type Hello } from '@chat/protocol/frames';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileIdentity, type IdentityStore } from '../../src/index.js';
import { connected, scene } from '../support/connected.js';
import type { FakeClock } from '../support/fake-clock.js';

/** The hello of a client that was started with this identity, and the client. */
async function start(identity: string | IdentityStore, clock?: FakeClock) {
  const made = await connected({ identity, ...(clock && { clock }) });
  return { ...made, hello: made.server.end.last(FrameType.Hello).hello };
}

const isLater = (a: Hello, b: Hello) => b.attempt! > a.attempt!;

describe('fileIdentity', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'identity-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps it in a file for its user alone', async () => {
    const path = join(folder, 'bot.identity');
    const first = await start(fileIdentity(path));
    const second = await start(fileIdentity(pathToFileURL(path)));
    expect(second.hello.clientSecret).toBe(first.hello.clientSecret);
    expect(isLater(first.hello, second.hello)).toBe(true);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ secret: first.hello.clientSecret, run: 1 });
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('leaves a file alone that is something else', async () => {
    const path = join(folder, 'diary.txt');
    writeFileSync(path, 'dear diary');
    await expect(scene({ identity: fileIdentity(path) }).client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('diary.txt is not an identity'),
    });
    expect(readFileSync(path, 'utf8')).toBe('dear diary');
  });

  it('says when there is no place for it', async () => {
    const path = join(folder, 'missing', 'bot.identity');
    await expect(scene({ identity: fileIdentity(path) }).client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('ENOENT'),
    });
    expect(existsSync(path)).toBe(false);
  });
});
