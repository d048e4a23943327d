#!/usr/bin/env node
/**
 * `chat-server`: a shell around `@chat/server`. Arguments in, log lines out, signals to drain.
 */
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { DEFAULT_PORT } from '@chat/protocol';
import {
  type ChatServer,
  type ListenAddress,
  type ListeningAddress,
  ServerError,
  ServerErrorCode,
  type TlsOptions,
} from '@chat/server';
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import packageJson from '../package.json' with { type: 'json' };
import { AccountFileError } from './accounts/account-file.js';
import { SecretReader } from './accounts/ask-secret.js';
import { People, type PeopleOptions } from './accounts/people.js';
import { runUserCommand } from './accounts/user-command.js';
import { runAdminCommand } from './admin/admin-command.js';
import { type Arguments, parseArguments, UsageError } from './command-line/args.js';
import { strayVariables } from './command-line/environment.js';
import { groupId } from './command-line/unix-group.js';
import { createCheckedServer } from './config/checked-server.js';
import { runConfigCommand } from './config/config-command.js';
import { openData } from './data/open-data.js';
import { openNats } from './data/open-nats.js';
import { runStoreCommand } from './data/store-commands.js';
import { runDoctorCommand } from './doctor/doctor-command.js';
import { Leaving } from './leaving.js';
import { calmLogLine } from './log/calm-log-line.js';
import { LogOutput } from './log/log-output.js';
import { logPresence, TOLD_FIELDS } from './log/presence-log.js';
import { Operating } from './operating.js';
import { reachableAddresses } from './reachable.js';
import { runNatsProcess } from './workers/nats/nats-process.js';
import { configTextOfWorker, isCarrierProcess, placeOf } from './workers/place.js';
import { runStore } from './workers/store/store-process.js';
import { shareOfMachine, superviseWorkers } from './workers/supervise.js';
import { joinWorkers } from './workers/worker.js';
import { keepYoungGenerationSmall } from './young-generation.js';

/** The system refused: a port that is taken, or that needs privileges. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const WARN_LEVEL = 40;

async function main(argv: readonly string[]): Promise<void> {
  const exitCode = await runCommand(argv);
  if (exitCode !== undefined) {
    process.exitCode = exitCode;
    return;
  }
  const args = parseArguments(argv, packageJson.version, { configText: configTextOfWorker() });
  keepYoungGenerationSmall();
  const output = createOutput(args);
  const logger = createLogger(args, output);
  if (args.workers !== undefined && cluster.isPrimary) {
    const tell = (addresses: readonly ListeningAddress[]): void => announce(addresses, args, logger, output);
    process.exitCode = await superviseWorkers(args, args.workers, logger, tell);
    return;
  }
  const giveUp = (): void => {
    process.exitCode = EXIT_FAILED;
    void leaving.leave('the log has failed');
  };
  if (isCarrierProcess()) {
    if (args.data) return runStore(args.data, logger);
    if (args.nats) return runNatsProcess(args.nats, logger);
  }
  const worker = args.workers === undefined ? undefined : await joinWorkers(args.workers, args.data);
  const data = worker || !args.data ? undefined : await openData(args.data, logger);
  const log = worker?.log ?? data ?? (args.nats && (await openNats(args.nats, logger, giveUp)));
  const people = args.people && (await openPeople(args.people, logger));
  const server = createCheckedServer(args.given, {
    ...args.limits,
    ...(people ? { hooks: people.hooks } : {}),
    ...(worker ? shareOfMachine(args) : {}),
    ...(log ? { log } : {}),
    ...(worker?.addressCounts ? { addressCounts: worker.addressCounts } : {}),
    logger,
    agent: `chat-server/${packageJson.version}`,
    http: {
      allowedOrigins: args.allowOrigin ?? [],
      allowedHosts: args.allowedHost ?? [],
      ...(args.keepAliveTimeoutMs === undefined ? {} : { keepAliveTimeoutMs: args.keepAliveTimeoutMs }),
      handler: (request, response) => operating.handler(request, response),
    },
  });
  people?.watch(server);
  const leaving = new Leaving(server, logger, async () => {
    await operating.close();
    await output.flushed();
    process.exit();
  });
  const { version } = packageJson;
  const readCertificateAgain = (): void => reload(server, args, logger);
  const operating = new Operating({
    ...{ server, args, data, worker, logger, leaving, version },
    reload: readCertificateAgain,
  });
  const certificate = readCertificate(args);
  await server.listen({
    ...(args.host === undefined ? {} : { host: args.host }),
    port: args.port,
    ...(certificate ? { tls: certificate } : {}),
  });
  if (args.unix !== undefined) await server.listen(unixAddress(args.unix, args));
  await operating.listen();
  logPresence(server, logger);
  if (worker) {
    worker.ready(server.addresses, {
      leave: (options) => void leaving.leave('the supervisor', options),
      cut: () => leaving.cut(),
      reload: readCertificateAgain,
      carryOut: (order) => operating.carryOut(order),
      deliver: (cursors) => operating.deliver(cursors),
    });
    return;
  }
  obeySignals(server, args, logger, leaving);
  announce(server.addresses, args, logger, output);
}

/** @throws UsageError (as a rejection) */
async function openPeople(options: PeopleOptions, logger: pino.Logger): Promise<People> {
  try {
    return await People.open(options, logger);
  } catch (error) {
    if (error instanceof AccountFileError) throw new UsageError(error.message, EXIT_FAILED);
    throw error;
  }
}

/** Tells where the chat is, and what of the command line is better done otherwise. */
function announce(
  addresses: readonly ListeningAddress[],
  args: Arguments,
  logger: pino.Logger,
  output: LogOutput,
): void {
  if (args.limits.duplicateNames === 'takeover') {
    const message =
      '--duplicate-names takeover: whoever has an account takes over in any case, and guests never do';
    logger.warn({ option: 'duplicateNames' }, message);
  }
  if (args.metricsToken?.isOnCommandLine) {
    const message =
      'everybody on this machine sees the token on the command line: use --metrics-token-file or CHAT_METRICS_TOKEN';
    logger.warn({ option: 'metrics-token' }, message);
  }
  for (const problem of strayVariables(process.env)) logger.warn({}, problem);
  const reachable = addresses.flatMap((listening) => reachableAddresses(listening));
  const workers = args.workers === undefined ? '' : ` with ${args.workers} workers`;
  logger.info({ addresses }, `listening on ${reachable.join(', ')}${workers}`);
  const [address] = addresses;
  if (args.json || address?.kind !== 'tcp') return;
  output.write(announcement(address, reachable, args.tlsOnly || args.tlsClientCa !== undefined));
}

/** A command that is no server; `undefined` when there is none on the command line. */
async function runCommand([name, ...args]: readonly string[]): Promise<number | undefined> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const complain = (line: string): void => void process.stderr.write(`${line}\n`);
  if (name === 'user') {
    const secrets = new SecretReader({ input: process.stdin, output: process.stderr });
    return runUserCommand(args, { print, complain, secrets, environment: process.env });
  }
  if (name === 'admin') return runAdminCommand(args, print, complain);
  if (name === 'doctor') return runDoctorCommand(args, packageJson.version, print);
  if (name === 'config') return runConfigCommand(args, packageJson.version, print);
  return runStoreCommand(name === undefined ? [] : [name, ...args], print);
}

/** For people: what to tell others, and how to get in from here. */
function announcement(
  { port, tls }: { port: number; tls: boolean },
  addresses: readonly string[],
  isTlsOnly: boolean,
): string {
  const others = addresses.filter((address) => !address.startsWith('localhost'));
  const server = tls ? `tls://localhost:${port} ` : port === DEFAULT_PORT ? '' : `localhost:${port} `;
  return [
    '',
    '  The chat is open. Server IP and port for others:',
    ...(others.length > 0 ? others : addresses).map((address) => `    ${address}`),
    '',
    `  From here:  ${`npm run chat -- ${server}--name ada`.padEnd(32)} (terminal)`,
    `              ${`${tls ? 'https' : 'http'}://localhost:${port}`.padEnd(32)} (browser)`,
    ...(isTlsOnly
      ? []
      : [`              ${`nc localhost ${port}`.padEnd(32)} (anything; the first line is your name)`]),
    '',
    '',
  ].join('\n');
}

function unixAddress(path: string, { unixMode, unixGroup }: Arguments): ListenAddress & { path: string } {
  const group = unixGroup === undefined ? undefined : groupId(unixGroup);
  if (unixGroup !== undefined && group === undefined) {
    throw new UsageError(`there is no group ${unixGroup}`, EXIT_USAGE);
  }
  return {
    path,
    ...(unixMode === undefined ? {} : { mode: unixMode }),
    ...(group === undefined ? {} : { group }),
  };
}

/** The first signal drains, the second one cuts; SIGHUP reads the certificate again. */
function obeySignals(server: ChatServer, args: Arguments, logger: pino.Logger, leaving: Leaving): void {
  process.on('SIGINT', (signal) => leaving.signalled(signal));
  process.on('SIGTERM', (signal) => leaving.signalled(signal));
  process.on('SIGHUP', (signal) => {
    // Without a certificate it means what it always did: the terminal was closed.
    if (args.tlsCert === undefined) leaving.signalled(signal);
    else reload(server, args, logger);
  });
}

function reload(server: ChatServer, args: Arguments, logger: pino.Logger): void {
  try {
    const certificate = readCertificate(args);
    if (certificate) server.reloadCertificate(certificate);
    logger.info('certificate reloaded');
  } catch (err) {
    logger.error({ err }, 'the certificate could not be reloaded; the old one stays');
  }
}

function readCertificate({ tlsCert, tlsKey, tlsClientCa, tlsOnly }: Arguments): TlsOptions | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  try {
    return {
      cert: readFileSync(tlsCert),
      key: readFileSync(tlsKey),
      ...(tlsOnly || tlsClientCa !== undefined ? { required: true } : {}),
      ...(tlsClientCa === undefined ? {} : { clientCa: readFileSync(tlsClientCa) }),
    };
  } catch (error) {
    throw new UsageError(`cannot read the certificate: ${(error as Error).message}`, EXIT_USAGE);
  }
}

/** Standard output, for people or for programs. */
function createOutput(args: Arguments): LogOutput {
  return new LogOutput(process.stdout, (lines) => {
    const msg = `${lines} log lines were dropped: nobody read them`;
    return format(args)(`${JSON.stringify({ level: WARN_LEVEL, time: Date.now(), dropped: lines, msg })}\n`);
  });
}

function createLogger(args: Arguments, output: LogOutput): pino.Logger {
  const toText = format(args);
  const worker = cluster.isWorker && args.workers !== undefined ? { worker: placeOf().worker } : null;
  return pino(
    { level: args.logLevel, base: worker },
    { write: (line: string) => output.write(toText(calmLogLine(line))) },
  );
}

/** Turns a line of JSON into what is written. */
function format({ json }: Arguments): (line: string) => string {
  if (json) return (line) => line;
  return prettyFactory({
    ignore: ['addresses', 'worker', ...TOLD_FIELDS].join(','),
    translateTime: 'SYS:HH:MM:ss',
    colorize: process.stdout.isTTY === true,
  });
}

/** One line that tells what to do; a stack trace only for defects. */
function fail(error: unknown): never {
  if (error instanceof UsageError) {
    if (error.message) process.stderr.write(`chat-server: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  if (ServerError.is(error)) {
    process.stderr.write(`chat-server: ${explain(error)}\n`);
    process.exit(error.code === ServerErrorCode.BadOption ? EXIT_USAGE : EXIT_FAILED);
  }
  throw error;
}

function explain(error: ServerError): string {
  const { code, port } = (error.cause ?? {}) as { readonly code?: string; readonly port?: number };
  const where = error.message.split(': ')[0];
  if (port === -1) {
    // The path of a socket. Node says EACCES for a folder that does not exist as well.
    if (code === 'EADDRINUSE')
      return `${where}: something listens there, or it is no socket: remove the file if nothing does`;
    if (code === 'EACCES') return `${where}: not allowed, or there is no such folder`;
  }
  switch (code) {
    case 'EADDRINUSE':
      return `${where}: something else listens there; choose another with --port`;
    case 'EACCES':
      return `${where}: not allowed; ports below 1024 need privileges, choose another with --port`;
    case 'EADDRNOTAVAIL':
      return `${where}: this machine does not have that address`;
    default:
      return error.message;
  }
}

main(process.argv.slice(2)).catch(fail);
