/**
 * A server in a process of its own: started with a port that was free a moment ago, ready when something
 * accepts there, ended by SIGTERM and, when it does not obey, by SIGKILL.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { builtModule } from './built-module.js';

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 3000;
const HOST = '127.0.0.1';

/** A port on one of the addresses of a machine. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a server listens. */
export type Address = TcpAddress | { readonly path: string };

/** A running server. */
export interface ServerProcess {
  readonly pid: number;
  readonly address: Address;
  /** Milliseconds from the start of the process until it accepted a connection. */
  readonly startupMs: number;
  /** Ends the process and waits for its end. */
  close(): Promise<void>;
}

/**
 * Starts a program and waits until it accepts connections.
 *
 * @param command - gives program and arguments for the address that was chosen
 * @param unixPath - listen at this Unix socket instead of a TCP port
 * @throws Error when the program ends early or does not listen within 20 s; its stderr is in the message
 */
export async function startServer(
  command: (address: Address) => readonly [program: string, ...args: string[]],
  unixPath?: string,
): Promise<ServerProcess> {
  const address: Address =
    unixPath === undefined ? { host: HOST, port: await findFreePort() } : { path: unixPath };
  const [program, ...args] = command(address);
  const startedAt = performance.now();
  // A group of its own: Ctrl-C is for the benchmark, which then ends its servers in its own time.
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });

  while (!(await accepts(address))) {
    if (failure || child.exitCode !== null || performance.now() - startedAt > READY_TIMEOUT_MS) {
      await end(child);
      const why = failure ? failure.message : `exit code ${child.exitCode}`;
      throw new Error(`${program} ${args.join(' ')} does not listen (${why})\n${stderr}`.trim());
    }
    await delay(3);
  }
  return {
    pid: child.pid!,
    address,
    startupMs: performance.now() - startedAt,
    close: () => end(child),
  };
}

/** Starts a built module of this app that takes a port as its only argument. */
export function startScript(name: string): Promise<ServerProcess> {
  return startServer((address) => [process.execPath, builtModule(name), String(tcpOf(address).port)]);
}

/** @throws TypeError for a Unix socket */
export function tcpOf(address: Address): TcpAddress {
  if ('path' in address) throw new TypeError('a TCP address is needed');
  return address;
}

/** The version that a program says it has. */
export function programVersion(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text.trim();
}

/** The path of a program, or undefined when it is not on the PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** A TCP port that nobody listened at when this was called. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port to be had');
  return address.port;
}

function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exit;
  clearTimeout(timer);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
