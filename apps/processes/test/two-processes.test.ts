import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { listSegments, unlink } from '@chat/shm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtApp } from '../../../test/support/built.js';

const TIMEOUT_MS = 120_000;
const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Process A or B as a user starts it, without a terminal. */
class Process {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  errors = '';
  readonly #exited: Promise<unknown>;
  #changed: () => void = () => {};

  constructor(letter: 'a' | 'b', segment: string, ...flags: string[]) {
    const node = [builtApp(`process-${letter}`), '--segment', segment, ...flags];
    this.child = spawn(process.execPath, node, { cwd: repository, stdio: 'pipe' });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.#changed();
    });
    this.child.stderr?.on('data', (data) => {
      this.errors += String(data);
    });
    // 'close' comes after the last line.
    this.#exited = once(this.child, 'close');
    void this.#exited.then(() => this.#changed());
  }

  /** Waits for a line that holds, or matches, the pattern, and returns it. */
  async line(pattern: string | RegExp, from = 0): Promise<string> {
    for (;;) {
      const matches = (line: string) =>
        typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
      const found = this.lines.slice(from).find(matches);
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended without ${pattern}:\n${this.lines.join('\n')}\n${this.errors}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Sends a signal, waits for the end and returns the exit code, null after SIGKILL. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.child.kill(signal);
    await this.#exited;
    return this.child.exitCode;
  }

  /** Names of the steps that it showed. */
  get steps(): string[] {
    return this.lines.flatMap((line) => /^ +(\w+(?: \w+)?) {2}/.exec(line)?.[1] ?? []);
  }

  /** What it showed of messages from the other side, as numbers; again those that say so. */
  get received(): { number: number; again: boolean }[] {
    return this.lines.flatMap((line) => {
      const number = /^<- #(\d+) /.exec(line)?.[1];
      return number === undefined ? [] : [{ number: Number(number), again: line.includes('(again: ') }];
    });
  }
}

let runs = 0;

describe.skipIf(process.platform !== 'linux')('process A and process B', { timeout: TIMEOUT_MS }, () => {
  let segment: string;
  let started: Process[];
  beforeEach(() => {
    segment = `two-processes-${process.pid}-${runs++}`;
    started = [];
  });
  afterEach(async () => {
    for (const one of started) await one.end('SIGTERM');
    if (isThere()) unlink(segment);
  });

  const isThere = () => listSegments().includes(segment);
  const start = (letter: 'a' | 'b', ...flags: string[]) => {
    const one = new Process(letter, segment, ...flags);
    started.push(one);
    return one;
  };

  it('shows the whole flow, and leaves nothing behind', async () => {
    const a = start('a', '--count', '2', '--every', '10', '--steps');
    await a.line('attach');
    const b = start('b', '--count', '2', '--steps');
    expect([await a.end(), await b.end()]).toEqual([0, 0]);
    const once = ['lock', 'write', 'unlock'];
    const read = ['lock', 'read', 'unlock'];
    expect(a.steps.slice(0, 5)).toEqual(['create', 'attach', ...once]);
    expect(b.steps).toEqual([
      'attach',
      ...once,
      ...read,
      ...once,
      ...read,
      ...once,
      ...once,
      'detach',
      'clean up',
    ]);
    expect(a.steps.slice(-5)).toEqual([...once, 'detach', 'clean up']);
    expect(isThere()).toBe(false);
  });

  it('is started in either order, and says the messages only when asked to be quiet', async () => {
    const b = start('b', '--count', '2', '--quiet', '--name', 'Bea');
    const a = start('a', '--count', '2', '--every', '10', '--quiet', '--name', 'Ann');
    expect([await a.end(), await b.end()]).toEqual([0, 0]);
    expect(a.steps).toEqual([]);
    expect(a.lines).toContain('<- #2 Bea: thank you for message 2');
    expect(b.lines.find((line) => line.startsWith('<- #2 Ann: it is '))).toBeDefined();
  });

  it('brings what is typed in either to the other', async () => {
    const a = start('a', '--every', '0');
    const b = start('b');
    a.type('hello Bea ✓');
    await b.line('<- #1 A: hello Bea ✓');
    b.type('hello Ann');
    await a.line('<- #2 B: hello Ann');
    expect(a.lines).toContain('<- #1 B: thank you for message 1');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'says goodbye on %s; the other says so, waits, and goes on',
    async (signal) => {
      const a = start('a', '--every', '10', '--quiet');
      const b = start('b', '--quiet');
      await a.line('<- #3 ');
      expect(await a.end(signal)).toBe(0);
      await b.line(`process A (${a.child.pid}) left; waiting for it`);
      expect(isThere()).toBe(true);
      const last = b.received.at(-1)?.number ?? 0;
      const second = start('a', '--every', '10', '--quiet');
      await second.line(`<- #${last + 1} `);
      expect(await second.end(signal)).toBe(0);
      // Answers that came after it had left wait for the next life of A; then there is nothing to be kept.
      const third = start('a', '--every', '0', '--quiet');
      await b.line(`process A (${third.child.pid}) is here`);
      const written = b.received.at(-1)?.number ?? 0;
      const known = second.received.at(-1)?.number ?? 0;
      if (written > known) await third.line(`<- #${written} `);
      expect(await third.end(signal)).toBe(0);
      expect(await b.end(signal)).toBe(0);
      expect(isThere()).toBe(false);
    },
  );

  it('shows a line for each message, not for each step, unless it is asked or in a terminal', async () => {
    const a = start('a', '--count', '5', '--every', '10');
    const b = start('b', '--count', '5');
    expect([await a.end(), await b.end()]).toEqual([0, 0]);
    for (const one of [a, b]) {
      expect(one.steps.filter((step) => ['lock', 'write', 'read', 'unlock'].includes(step))).toEqual([]);
      expect(one.lines.length).toBeLessThan(5 + 8);
      expect(one.received).toHaveLength(5);
    }
  });

  it('keeps what was written for one who is not there, though it leaves with a goodbye', async () => {
    const a = start('a', '--every', '0');
    await a.line('attach');
    a.type('are you there?');
    a.type('/quit');
    expect(await a.end()).toBe(0);
    await a.line('segment kept: 1 messages in it wait to be read');
    const b = start('b', '--quiet');
    await b.line('<- #1 A: are you there?');
    const later = start('a', '--every', '0', '--quiet');
    await later.line('<- #1 B: thank you for message 1');
    later.type('yes');
    await b.line('<- #2 A: yes');
  });

  it('leaves at the end of its input, after what stands there, unless it was told what to do by itself', async () => {
    const a = start('a', '--every', '0');
    const b = start('b', '--answer');
    a.child.stdin?.end('one\ntwo\n');
    expect(await a.end()).toBe(0);
    await a.line('standard input has ended: leaving');
    await b.line('<- #2 A: two');
    b.child.stdin?.end();
    await b.line('standard input has ended: going on');
    const again = start('a', '--every', '10');
    await again.line('<- #3 ');
  });

  it('refuses a second process A, and leaves the first alone', async () => {
    const a = start('a', '--every', '0');
    await a.line('attach');
    const second = start('a');
    expect(await second.end()).toBe(1);
    expect(second.errors).toContain(`process ${a.child.pid}, which is alive (ERR_SHM_ROLE_TAKEN)`);
    const b = start('b');
    a.type('still here');
    await b.line('A: still here');
  });

  it.each(['a', 'b'] as const)('notices that process %s was killed', async (letter) => {
    const a = start('a', '--every', '10', '--quiet');
    const b = start('b', '--quiet');
    const [killed, other] = letter === 'a' ? [a, b] : [b, a];
    await other.line('is here');
    await killed.end('SIGKILL');
    await other.line(`process ${letter.toUpperCase()} (${killed.child.pid}) died; waiting for it`);
  });

  it('loses nothing and reads nothing twice while both are killed again and again', async () => {
    // However late this process sees what they print, they are not at the end when it kills.
    const count = 2000;
    const flags = ['--count', String(count), '--quiet'];
    const lives = { a: [start('a', '--every', '1', ...flags)], b: [start('b', ...flags)] };
    for (let kill = 0; kill < 6; kill++) {
      const letter = kill % 2 === 0 ? 'a' : 'b';
      const victim = lives[letter].at(-1)!;
      // In the middle of the work: some ten messages after it came.
      const before = victim.received.at(-1)?.number ?? 0;
      await victim.line(/^<- /);
      while ((victim.received.at(-1)?.number ?? 0) < before + 10)
        await victim.line(/^<- /, victim.lines.length);
      await victim.end('SIGKILL');
      const next = start(letter, ...(letter === 'a' ? ['--every', '1'] : []), ...flags);
      lives[letter].push(next);
    }
    expect([await lives.a.at(-1)!.end(), await lives.b.at(-1)!.end()]).toEqual([0, 0]);
    for (const letter of ['a', 'b'] as const) {
      const received = lives[letter].flatMap((life) => life.received);
      const first = received.filter(
        ({ number }, i) => received.findIndex((other) => other.number === number) === i,
      );
      expect(first.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      // What the screen shows a second time is what was at hand when the process was killed, and it says so.
      const second = received.filter((one) => !first.includes(one));
      expect(second.every(({ again }) => again)).toBe(true);
      expect(second.length).toBeLessThanOrEqual(3);
    }
    // Each message of A was answered once.
    const answers = lives.a.flatMap((life) => life.lines.filter((line) => /^<- .*thank you/.test(line)));
    const answered = new Set(answers.map((line) => /message (\d+)/.exec(line)?.[1]));
    expect(answered.size).toBe(count);
    expect(isThere()).toBe(false);
  });

  it.runIf(existsSync(`${repository}apps/process-a/dist/main.js`))('explains itself', async () => {
    const child = spawn(process.execPath, [`${repository}apps/process-a/dist/main.js`, '--help'], {
      stdio: 'pipe',
    });
    let help = '';
    child.stdout.on('data', (data) => {
      help += String(data);
    });
    await once(child, 'close');
    for (const flag of ['--name', '--segment', '--count', '--every', '--quiet']) expect(help).toContain(flag);
  });
});
