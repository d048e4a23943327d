/**
 * `chat-server doctor`: looks at what would keep a server with these options from working, and says it in words. Changes
 * nothing, and may be asked while the server runs.
 */
import type { Arguments } from '../command-line/args.js';
import { parseServerOptions } from '../command-line/args.js';
import type { Environment } from '../command-line/environment.js';
import { certificate } from './certificate.js';
import type { Check, DoctorContext, Finding } from './check.js';
import { dataFolder, secretFiles } from './files.js';
import { descriptors, nodeVersion, sharedMemory } from './machine.js';
import { chatPort, metricsPort, unixSocket } from './ports.js';

/** Every check, in the order in which they are told. */
export const CHECKS: readonly Check[] = [
  nodeVersion,
  chatPort,
  metricsPort,
  unixSocket,
  certificate,
  dataFolder,
  secretFiles,
  descriptors,
  sharedMemory,
];

const PROBLEM = 1;

/**
 * @param argv - behind `doctor`
 * @returns the exit code: 0 when all is well, 1 when something is wrong
 * @throws UsageError (exit code 2) when the options cannot be carried out
 */
export async function runDoctorCommand(
  argv: readonly string[],
  version: string,
  print: (line: string) => void,
  environment: Environment = process.env,
): Promise<number> {
  const description =
    'Says what would keep a server with these options from working. Exit code: 0 well, 1 something is wrong, 2 wrong options.';
  const { flags, args } = parseServerOptions({ name: 'doctor', description, version }, argv, [], environment);
  const findings = await examine(contextOf(args));
  const isWell = findings.every(({ level }) => level !== 'problem');
  if (flags.has('json')) print(JSON.stringify({ version, isWell, findings }, null, 2));
  else {
    print(`chat-server ${version}`);
    for (const line of linesOf(findings)) print(line);
  }
  return isWell ? 0 : PROBLEM;
}

/** What all checks find. */
export async function examine(context: DoctorContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  // One after the other: two that listen at one port would find each other.
  for (const check of CHECKS) findings.push(...(await check(context)));
  return findings;
}

function contextOf(args: Arguments): DoctorContext {
  return { args, nodeVersion: process.versions.node, proc: '/proc', shm: '/dev/shm', now: Date.now() };
}

function linesOf(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ about }) => about.length));
  return findings.flatMap(({ level, about, text, remedy }) => {
    const line = `${level.padEnd(7)}  ${about.padEnd(width)}  ${text}`;
    return remedy === undefined ? [line] : [line, `${' '.repeat(width + 11)}→ ${remedy}`];
  });
}
