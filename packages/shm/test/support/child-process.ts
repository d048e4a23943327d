/**
 * A process that obeys commands: the parent's side of `child.ts`.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, Death, Fate, Outcome, Place } from './scenario.js';

const POLL_MS = 1;

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the bundled child program. */
    childProgram: string;
  }
}

export class ChildProcess {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #exited: Promise<unknown>;
  #errors = '';

  /** Starts `node program`, or a command that does it at its end, for example `unshare --pid`. */
  constructor(program: string, wrapper: readonly string[] = [], node: string = process.execPath) {
    const [command = node, ...args] = [...wrapper, node, program];
    this.process = spawn(command, args);
    this.process.stdin.on('error', () => {});
    this.process.stderr.on('data', (data) => {
      this.#errors += String(data);
    });
    this.#lines = createInterface({ input: this.process.stdout });
    // Not its exit: what it said before is read by then.
    this.#exited = once(this.process, 'close');
  }

  /** Sends a command, and resolves with the outcome. */
  command(command: Command): Promise<Outcome> {
    return this.#ask(command) as Promise<Outcome>;
  }

  /** Has it run a scenario in several places and die in the midst of all; resolves when it is dead. */
  async die(death: Death): Promise<Fate[]> {
    const fates = (await this.#ask(death)) as Fate[];
    await this.#exited;
    if (this.process.signalCode !== 'SIGKILL') throw new Error(`the child was not killed: ${this.#errors}`);
    return fates;
  }

  async #ask(command: Command | Death): Promise<unknown> {
    const answered = once(this.#lines, 'line').then(([line]): unknown => JSON.parse(String(line)));
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
    const answer = await Promise.race([answered, this.#exited.then(() => undefined)]);
    if (answer !== undefined) return answer;
    const { exitCode, signalCode } = this.process;
    throw new Error(`the child ended with ${signalCode ?? exitCode}: ${this.#errors}`);
  }

  /** Waits until the kernel says that it is stopped; false when it has exited or `unless` settles first. */
  async stopped(unless: Promise<unknown>): Promise<boolean> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    unless.then(end, end);
    while (!over && this.process.exitCode === null && this.process.signalCode === null) {
      if (this.#isStopped) return true;
      await delay(POLL_MS);
    }
    return false;
  }

  /** Whether each of its threads is: they come to it one after the other. */
  get #isStopped(): boolean {
    const tasks = `/proc/${this.process.pid}/task`;
    return readdirSync(tasks).every((task) => {
      const stat = readFileSync(`${tasks}/${task}/stat`, 'latin1');
      return stat.charAt(stat.lastIndexOf(')') + 2) === 'T';
    });
  }

  /** Has an actor do its part. Resolves with what it returned, and throws if it failed. */
  async act(actor: string, place: Place): Promise<Record<string, unknown>> {
    const outcome = await this.command({ scenario: actor, place });
    if (outcome.error !== undefined) throw new Error(outcome.error);
    return (outcome.result ?? {}) as Record<string, unknown>;
  }

  /** Sends SIGSTOP and waits until it has taken effect. */
  async stop(): Promise<void> {
    this.process.kill('SIGSTOP');
    await this.stopped(new Promise(() => {}));
  }

  /** Kills it, if it lives, and waits for its end. */
  async end(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
