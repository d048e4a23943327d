/** A NATS server of a test, in a process and a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../../../test/support/find-program.js';

/** The one that is installed, of whatever version. */
export const anyNats: string | undefined = findProgram('nats-server');

/** It, where it is too old for a chat. */
export const oldNats: string | undefined =
  anyNats !== undefined && !isNew(versionOf(anyNats)) ? anyNats : undefined;

/** One that is new enough for a chat, which Debian has in no release yet: `CHAT_TEST_NATS_SERVER` is its path. */
export const newNats: string | undefined = findNew();

function findNew(): string | undefined {
  const path = process.env.CHAT_TEST_NATS_SERVER ?? anyNats;
  if (path !== undefined && isNew(versionOf(path))) return path;
  process.stderr.write('skipped: no nats-server from 2.12 on, see CHAT_TEST_NATS_SERVER in docs/scale.md\n');
  return undefined;
}

export function versionOf(path: string): string {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).replace(/^.*v/, '').trim();
}

function isNew(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 12);
}

export class NatsProcess {
  readonly #program: string;
  readonly #flags: readonly string[];
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'chat-nats-'));
  #child: ChildProcess | undefined;
  port = 0;
  /** What it has said since it was started. */
  out = '';

  private constructor(program: string, flags: readonly string[]) {
    this.#program = program;
    this.#flags = flags;
  }

  static async start(program: string, ...flags: string[]): Promise<NatsProcess> {
    const nats = new NatsProcess(program, flags);
    await nats.start();
    return nats;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it where it was before, with what it kept. */
  async start(): Promise<void> {
    const port = this.port === 0 ? '-1' : String(this.port);
    const own = ['-a', '127.0.0.1', '-p', port, '-js', '-sd', this.#folder];
    const child = spawn(this.#program, [...own, ...this.#flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.out = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`nats-server has ended:\n${this.out}`)));
      child.stderr.on('data', (chunk) => {
        this.out += String(chunk);
        if (this.out.includes('Server is ready')) resolve();
      });
    });
    this.port = Number(this.out.match(/client connections on \S*:(\d+)/)![1]);
  }

  /** Nothing happens in it until it goes on. */
  stop(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it at once; what it has kept stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Copies what it has kept, or one stream of it, while it does not run; answers what puts that back. */
  save(stream?: string): () => void {
    const streams = join(this.#folder, 'jetstream', '$G', 'streams');
    const saved = stream === undefined ? this.#folder : join(streams, stream);
    const copy = `${this.#folder}-copy`;
    cpSync(saved, copy, { recursive: true });
    return () => {
      rmSync(saved, { recursive: true, force: true });
      renameSync(copy, saved);
    };
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
