/** `chat-server` in a process of its own, as it is built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { builtApp } from '../../../../test/support/built.js';

export const repository = fileURLToPath(new URL('../../../..', import.meta.url));
export const main: string = builtApp('server');

export class ServerProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  out = '';
  errors = '';
  #changed: () => void = () => {};

  constructor(
    flags: readonly string[],
    nodeFlags: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ) {
    const node = [...nodeFlags, main, ...flags];
    this.child = spawn(process.execPath, node, {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child.stdout?.on('data', (chunk) => {
      this.out += String(chunk);
      this.#changed();
    });
    this.child.stderr?.on('data', (chunk) => {
      this.errors += String(chunk);
    });
    this.exit = once(this.child, 'close').then(([code]) => {
      this.#changed();
      return code as number | null;
    });
  }

  /** Waits until the output matches. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.out.match(pattern);
      if (match) return match;
      if (this.child.exitCode !== null) throw new Error(`it has ended:\n${this.out}\n${this.errors}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async port(): Promise<number> {
    return Number((await this.printed(/listening on [^"]*?:(\d+)/))[1]);
  }
}
