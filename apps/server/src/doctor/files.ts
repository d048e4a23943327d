/** Files: the data folder, and secrets. */
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ServerError, ServerErrorCode } from '@chat/server';
import { exportStore } from '@chat/server/sqlite';
import { TokenFile } from '../api/tokens.js';
import { readWebhookKey } from '../webhooks/signature.js';
import { type Check, type Finding, inBytes, ok, problem, warning } from './check.js';

/** Below this the store is soon full. */
const FEW_BYTES = 1_073_741_824;
/** Below this it is as good as full. */
const TOO_FEW_BYTES = 67_108_864;
const OTHERS = 0o007;

export const dataFolder: Check = ({ args: { data } }) => {
  if (!data) return [];
  const { directory } = data;
  const about = 'data folder';
  const place = nearest(directory);
  if (!statSync(place).isDirectory()) {
    return [problem(about, `${place} is no folder`, 'choose another with --data')];
  }
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return [problem(about, `this user may not write in ${place}`, `chown it, or choose another with --data`)];
  }
  return [...contentOf(directory), spaceIn(place)];
};

export const secretFiles: Check = ({ args: { apiTokenFile, metricsTokenFile, webhooks } }) => {
  const files = [
    { path: metricsTokenFile, read: () => {} },
    { path: apiTokenFile, read: (path: string) => void new TokenFile(path) },
    ...webhooks.map(({ secretFile }) => ({
      path: secretFile,
      read: (path: string) => void readWebhookKey(path),
    })),
  ];
  return files.flatMap(({ path, read }) => (path === undefined ? [] : [secretFinding(path, read)]));
};

function secretFinding(path: string, read: (path: string) => void): Finding {
  try {
    read(path);
  } catch (error) {
    return problem('secret', (error as Error).message, 'write it anew, readable by the user of the server');
  }
  if (process.platform === 'win32' || (statSync(path).mode & OTHERS) === 0)
    return ok('secret', `${path} is good`);
  return warning('secret', `everybody on this machine may read ${path}`, `chmod 640 ${path}`);
}

/** Whether what is there can be used, without changing it. */
function contentOf(directory: string): readonly Finding[] {
  const about = 'data folder';
  if (!existsSync(join(directory, 'chat.sqlite')))
    return [ok(about, `${directory} is empty, and will be made`)];
  try {
    // Opens it for reading, which finds a newer version and a file that is none of this server.
    for (const _ of exportStore({ directory })) break;
  } catch (error) {
    return [problem(about, (error as Error).message, remedyFor(error, directory))];
  }
  const holder = holderOf(directory);
  if (holder === undefined) return [ok(about, `${directory} can be used`)];
  return [ok(about, `${directory} is open in process ${holder}: a second server cannot use it`)];
}

function remedyFor(error: unknown, directory: string): string {
  if (ServerError.is(error) && error.code === ServerErrorCode.StoreNewer)
    return 'use the newer version of chat-server';
  if (ServerError.is(error) && error.code === ServerErrorCode.SqliteMissing) return 'install what it names';
  return `chat-server check ${directory} says more; put a backup in its place`;
}

/** The process that wrote its number down, if it lives and has the lock open, as far as that can be seen. */
function holderOf(directory: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(directory, 'chat.lock.owner'), 'latin1'), 10);
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EPERM'
      ? Number.parseInt(readFileSync(join(directory, 'chat.lock.owner'), 'latin1'), 10)
      : undefined;
  }
}

function spaceIn(place: string): Finding {
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const text = `${inBytes(free)} free where the data folder is`;
  if (free < TOO_FEW_BYTES)
    return problem('disk', text, 'make room: messages are refused when the disk is full');
  if (free < FEW_BYTES) return warning('disk', text, 'make room before messages are refused');
  return ok('disk', text);
}

/** The folder itself, or the one in which it would be made. */
function nearest(directory: string): string {
  let place = resolve(directory);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}
