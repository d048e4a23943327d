/**
 * The identity of a program, kept in a file that its user alone may read. Node only.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type IdentityStore, isIdentity } from './identity.js';

/**
 * Keeps the identity of a program in a file, so that it has its name back at once when it is started again,
 * however it ended. One process at a time: a second one takes the place of the first, which is closed with
 * `ERR_CLIENT_SESSION_REPLACED`.
 *
 * @param path - of the file, which is made with mode 0600; its folder must be there
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { existsSync, mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { createChatClient, fileIdentity } from '@chat/client';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'bot-'));
 * const identity = fileIdentity(join(folder, 'bot.identity'));
 * const client = createChatClient('tcp://127.0.0.1:1', { name: 'bot', identity }); // nobody listens there
 * await assert.rejects(client.connect(), { code: 'ERR_CLIENT_CONNECT_FAILED' });
 * assert(existsSync(join(folder, 'bot.identity')));
 * rmSync(folder, { recursive: true });
 * ```
 */
export function fileIdentity(path: string | URL): IdentityStore {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  return {
    load: () => {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      const known = parse(text);
      // Not overwritten: it may be any file of the user.
      if (!isIdentity(known)) throw new Error(`${file} is not an identity`);
      return known;
    },
    save: (identity) => {
      // Renamed into place: a process that is killed meanwhile leaves the old one, or the new one.
      const draft = `${file}.${randomBytes(6).toString('hex')}`;
      writeFileSync(draft, `${JSON.stringify(identity)}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(draft, file);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
