/** `chat-server` with a data folder, started again and again at one port. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { builtApp } from '../../support/built.js';
import { ServerWatch } from '../../support/server-watch.js';

const PROGRAM = builtApp('server');
const TOKEN = 'stress';

/** Options of {@link ChatServerProcess}. */
export interface ServerOptions {
  readonly directory: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One process. */
export class ChatServerProcess {
  readonly child: ChildProcess;
  /** Whether it listens; false when it ended before. */
  readonly isReady: Promise<boolean>;
  /** What it printed to stderr, and the log lines that are warnings or worse. */
  readonly complaints: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #port: number;

  constructor(port: number, { directory, flags, environment }: ServerOptions) {
    this.#port = port;
    const args = [PROGRAM, '--host', '127.0.0.1', '--port', String(port), '--json', '--data', directory];
    this.child = spawn(process.execPath, [...args, ...flags], {
      env: { ...process.env, ...environment, CHAT_METRICS_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.child, 'close');
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => this.complaints.push(text.trim()));
    this.isReady = new Promise((resolve) => {
      createInterface({ input: this.child.stdout! })
        .on('line', (line) => {
          if (line.includes('"msg":"listening on ')) resolve(true);
          if (/"level":[456]0/.test(line)) this.complaints.push(line);
        })
        .once('close', () => resolve(false));
    });
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get watch(): ServerWatch {
    return new ServerWatch(this.child.pid!, this.#port, TOKEN);
  }

  /** Sends a signal, and waits for the end. @returns the exit code, null after a signal that kills */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.hasEnded) this.child.kill(signal);
    await this.ended;
    return this.child.exitCode;
  }
}

/** Runs a command of the store to its end. @returns its standard output @throws Error with what it printed */
export function runStoreCommand(...args: readonly string[]): string {
  return execFileSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
}

/** A TCP port that nobody listened at when this was called. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port to be had');
  return address.port;
}
