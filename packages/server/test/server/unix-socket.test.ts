/** The file of a Unix socket: who may connect, and what becomes of one that was left behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import { createChatServer } from '../../src/server/chat-server.js';
import { tcpPipe } from '../support/socket-pipe.js';
import { WireClient } from '../support/wire-client.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-socket-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('the socket of a server', () => {
  it('that was killed is replaced', async () => {
    const path = join(folder, 'chat.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    await using server = createChatServer();
    await server.listen({ path });
    const ada = new WireClient(tcpPipe({ path }));
    await ada.enter({ name: 'ada' });
    ada.pipe.destroy();
  });

  it('that lives is left alone, and the second is told', async () => {
    const path = join(folder, 'chat.sock');
    await using first = createChatServer();
    await using second = createChatServer();
    await first.listen({ path });
    await expect(second.listen({ path })).rejects.toMatchObject({
      code: ServerErrorCode.Listen,
      cause: { code: 'EADDRINUSE' },
    });
    await new WireClient(tcpPipe({ path })).enter({ name: 'ada' });
  });

  it('is not put in the place of a file of another kind', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'mine');
    await using server = createChatServer();
    await expect(server.listen({ path })).rejects.toMatchObject({ code: ServerErrorCode.Listen });
    expect(statSync(path).size).toBe(4);
  });

  it('has the permissions and the group that were asked for', async () => {
    const path = join(folder, 'chat.sock');
    await using server = createChatServer();
    const group = process.getgid!();
    await server.listen({ path, mode: 0o660, group });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(statSync(path).gid).toBe(group);
  });

  it('that cannot have them is not opened', async () => {
    const path = join(folder, 'chat.sock');
    await using server = createChatServer();
    if (process.getuid!() !== 0) {
      await expect(server.listen({ path, group: 0 })).rejects.toMatchObject({ code: ServerErrorCode.Listen });
    }
    await expect(server.listen({ path, mode: 0o1777 })).rejects.toMatchObject({
      code: ServerErrorCode.BadOption,
    });
    await expect(server.listen({ port: 0, mode: 0o660 } as never)).rejects.toMatchObject({
      code: ServerErrorCode.BadOption,
    });
    await expect(server.listen({ path, group: -1 })).rejects.toMatchObject({
      code: ServerErrorCode.BadOption,
    });
  });
});
