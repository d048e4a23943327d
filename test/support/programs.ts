/** The programs of a page: blocks that name a file are taken out of it, and run as a reader would run them. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, vi } from 'vitest';
import { read } from './workspaces.js';

/** Writes the files that the page shows below the folder, and gives their names. */
export function writePrograms(page: string, folder: string): string[] {
  const blocks = [...read(page).matchAll(/^```(?:c|html|js|python|ts) (\w\S*\.\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, name, code]) => {
    const file = join(folder, name!);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code!);
    return name!;
  });
}

/** A program, what it has printed so far, and its end. Killed with the test, if it still runs then. */
export class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly ended: Promise<unknown[]>;
  printed = '';

  constructor(folder: string, command: string, ...args: string[]) {
    // What it complains about is shown, since there is nothing to complain about.
    this.#child = spawn(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.printed += text;
    });
    this.ended = once(this.#child, 'close');
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  hangUp(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has printed this. */
  async prints(text: string | RegExp): Promise<void> {
    await until(() => expect(this.printed).toMatch(text));
  }
}

/** Looks again until the check holds, or fails as it failed last. */
export function until(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 });
}
