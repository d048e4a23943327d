/** A check of `chat-server doctor`: it looks at one thing, and says in words what it has found. */
import type { Arguments } from '../command-line/args.js';

/** What was found. Only a problem is a reason not to start. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** The subject of the check, in a word or two: `port`, `certificate`. */
  readonly about: string;
  /** A sentence. */
  readonly text: string;
  /** What to do. */
  readonly remedy?: string;
}

/** What checks look at. Tests put other places in. */
export interface DoctorContext {
  readonly args: Arguments;
  /** Of Node. */
  readonly nodeVersion: string;
  /** Where Linux says what processes do; elsewhere nothing is there. */
  readonly proc: string;
  /** Where shared memory is. */
  readonly shm: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Answers nothing where there is nothing to look at. Must not throw for what it looks at. */
export type Check = (context: DoctorContext) => readonly Finding[] | Promise<readonly Finding[]>;

export function ok(about: string, text: string): Finding {
  return { level: 'ok', about, text };
}

export function warning(about: string, text: string, remedy: string): Finding {
  return { level: 'warning', about, text, remedy };
}

export function problem(about: string, text: string, remedy: string): Finding {
  return { level: 'problem', about, text, remedy };
}

/** Bytes for people. */
export function inBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}
