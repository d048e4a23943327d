/**
 * `chat doctor URL`: goes the way that a client goes, step by step, and says in words where it ends. Joins no room, so
 * nobody sees it in one.
 */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { parseCommand, UsageError } from '../args.js';
import { DEFAULT_SERVER, parseServerAddress } from '../server-address.js';
import { chat } from './chat.js';
import type { Finding } from './finding.js';
import { http } from './http.js';
import { certificate, reach } from './network.js';
import { type Target, targetOf } from './target.js';

const PROBLEM = 1;
const USAGE = 2;

/**
 * @param argv - behind `doctor`
 * @returns the exit code: 0 when all is well, 1 when something is wrong
 * @throws UsageError (exit code 2) when the command line cannot be carried out
 */
export async function runDoctor(
  argv: readonly string[],
  version: string,
  print: (line: string) => void,
  now: () => number = Date.now,
): Promise<number> {
  const { target, options } = parse(argv, version);
  const name = options.name ?? `doctor-${randomBytes(3).toString('hex')}`;
  const findings = await examine(target, { name, version, tlsCa: options.tlsCa }, now);
  const isWell = findings.every(({ level }) => level !== 'problem');
  if (options.json) {
    print(JSON.stringify({ url: target.url, version, isWell, findings }, null, 2));
  } else for (const line of linesOf(findings)) print(line);
  return isWell ? 0 : PROBLEM;
}

async function examine(
  target: Target,
  visitor: Parameters<typeof chat>[1],
  now: () => number,
): Promise<readonly Finding[]> {
  const { findings, isReached } = await reach(target);
  if (!isReached) return findings;
  const shown = await certificate(target, now());
  const isEncrypted = !shown.some(({ text }) => text.startsWith('there is no TLS'));
  if (!isEncrypted) return [...findings, ...shown];
  return [...findings, ...shown, ...(await http(target, now)), ...(await chat(target, visitor))];
}

interface DoctorOptions {
  readonly json?: true;
  readonly tlsCa?: string;
  readonly name?: string;
}

function parse(
  argv: readonly string[],
  version: string,
): { readonly target: Target; readonly options: DoctorOptions } {
  const command = new Command('chat doctor')
    .description(
      'Says what is wrong on the way to a server. Exit code: 0 well, 1 something is wrong, 2 wrong command line.',
    )
    .version(version)
    .argument(
      '[server]',
      `host, host:port, or a tcp:, tls:, unix:, ws:, wss: URL (default: ${DEFAULT_SERVER})`,
    )
    .option('-n, --name <name>', 'name to come in with (default: doctor- and a random one)')
    .option('--tls-ca <file>', 'certificate (PEM) to trust, for tls: and wss:')
    .option('--json', 'print JSON, for programs');
  parseCommand(command, argv);
  const options = command.opts<DoctorOptions>();
  const text = command.args[0] ?? DEFAULT_SERVER;
  const address = parseServerAddress(text);
  if (!address)
    throw new UsageError(`'${text}' is not the address of a server: host, host:port or a URL`, USAGE);
  try {
    return { target: targetOf(address.url, options.tlsCa), options };
  } catch (error) {
    throw new UsageError(`cannot read the certificate: ${(error as Error).message}`, USAGE);
  }
}

function linesOf(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ about }) => about.length));
  return findings.flatMap(({ level, about, text, remedy }) => {
    const line = `${level.padEnd(7)}  ${about.padEnd(width)}  ${text}`;
    return remedy === undefined ? [line] : [line, `${' '.repeat(width + 11)}→ ${remedy}`];
  });
}
