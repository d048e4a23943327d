#!/usr/bin/env node
/**
 * `chat`: a shell around `@chat/client`. It chooses the front end by its input: a person at a terminal, a
 * pipe, or nothing that could be read.
 */
import { ReadStream, WriteStream } from 'node:tty';
import { ClientError } from '@chat/client';
import packageJson from '../package.json' with { type: 'json' };
import { parseArguments, UsageError } from './args.js';
import { runFollow } from './lines/follow.js';
import { runPipe } from './lines/pipe.js';
import { runTerminal } from './lines/terminal.js';
import { errorText } from './session/session.js';
import { paletteFor } from './text/palette.js';

const EXIT_FAILED = 1;

async function main(argv: readonly string[]): Promise<number> {
  const { version } = packageJson;
  if (argv[0] === 'doctor') {
    // Loaded when it is needed.
    const { runDoctor } = await import('./doctor/doctor-command.js');
    return runDoctor(argv.slice(1), version, (line) => void process.stdout.write(`${line}\n`));
  }
  const args = parseArguments(argv, version, process.env);
  const { stdin: input, stdout: output, stderr: errors, env: environment } = process;
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leaving.abort());
  // The reader of the output has gone: `chat | head`.
  output.on('error', () => leaving.abort());
  const { signal } = leaving;
  const canAsk = !args.follow && input instanceof ReadStream && output instanceof WriteStream;
  if (args.login && args.password === undefined && !canAsk) {
    throw new UsageError('nobody can be asked for the password here: --password-file, or CHAT_PASSWORD', 2);
  }
  if (args.follow) {
    await runFollow(args, { output, signal, palette: paletteFor(output, environment) }, version);
    return 0;
  }
  if (input instanceof ReadStream && output instanceof WriteStream) {
    const terminal = { input, output, environment, signal };
    if (args.plain || args.json || environment.TERM === 'dumb') return runTerminal(args, terminal, version);
    // Loaded when it is needed: a pipe starts in a third of the time without it.
    const { runFullScreen } = await import('./screen/full-screen.js');
    return runFullScreen(args, terminal, version);
  }
  return runPipe(args, { input, output, errors, signal }, version);
}

/** One line that says what is wrong; a stack trace only for defects. */
function fail(error: unknown): number {
  if (error instanceof UsageError) {
    if (error.message) process.stderr.write(`chat: ${error.message}\n`);
    return error.exitCode;
  }
  if (!ClientError.is(error)) throw error;
  process.stderr.write(`chat: ${errorText(error)}\n`);
  return EXIT_FAILED;
}

process.exitCode = await main(process.argv.slice(2)).catch(fail);
