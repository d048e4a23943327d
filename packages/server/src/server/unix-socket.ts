/**
 * The file of a Unix socket: who may connect to it, and what becomes of one that a dead process left behind.
 *
 * A process that is killed leaves its file, and to listen there again is refused as if somebody listened. So somebody is
 * asked first: when nobody answers, the file is stale and makes room.
 */
import { chmodSync, chownSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';

/** Who may connect, beside what the umask says. */
export interface SocketFileOptions {
  /** Permissions of the file, as 0o660. @defaultValue as the umask says */
  readonly mode?: number;
  /** Number of the group that the file belongs to. @defaultValue the group of the process */
  readonly group?: number;
}

/** Nobody but the owner, until permissions are set. */
const CLOSED_UMASK = 0o177;

/**
 * Lets any server of Node listen on the Unix socket at `path`, in the place of one that nobody listens on any more. The
 * file is never open to more than `options` say, not even for a moment.
 *
 * @param backlog connections that the system holds until they are accepted
 * @throws the error of the system
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  backlog: number,
  options: SocketFileOptions,
): Promise<void> {
  try {
    await listen(server, path, backlog, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isStale(path))) throw error;
    await listen(server, path, backlog, options);
  }
}

async function listen(
  server: Server,
  path: string,
  backlog: number,
  { mode, group }: SocketFileOptions,
): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject).once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // The file is made within this call; it must not be open to more for a moment than it is to be.
  const restore = mode === undefined ? undefined : narrowUmask();
  try {
    server.listen({ path, backlog });
  } finally {
    restore?.();
  }
  await listening;
  // A named pipe on Windows is no file.
  if (process.platform === 'win32') return;
  try {
    if (group !== undefined) chownSync(path, -1, group);
    if (mode !== undefined) chmodSync(path, mode);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** @returns what puts the umask back; nothing in a worker thread, where it cannot be set */
function narrowUmask(): (() => void) | undefined {
  try {
    const before = process.umask(CLOSED_UMASK);
    return () => void process.umask(before);
  } catch {
    return undefined;
  }
}

/** Whether the file was a socket that nobody listens on; it is gone then. */
async function isStale(path: string): Promise<boolean> {
  const before = socketAt(path);
  if (!before || (await isAnswered(path))) return false;
  const now = socketAt(path);
  // Somebody else may have been quicker, and listens there now.
  if (!now || now.ino !== before.ino || now.dev !== before.dev) return false;
  unlinkSync(path);
  return true;
}

function socketAt(path: string): Stats | undefined {
  if (process.platform === 'win32') return undefined;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isSocket() ? stats : undefined;
}

/** Anything but a refusal counts as an answer: a listener whose queue is full is alive as well. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
  });
}
