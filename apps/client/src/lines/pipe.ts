/**
 * Without a terminal: lines in are messages (or commands), lines out are what others say.
 *
 * Lines are sent one after the other, each when the one before is acknowledged: waiting for a rate limit
 * changes no order. Failures go to the error output and make the exit code 1.
 */
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ClientError } from '@chat/client';
import { type Arguments, UsageError } from '../args.js';
import { createClient } from '../connection.js';
import { delay } from '../delay.js';
import { DEFAULT_SERVER, parseServerAddress } from '../server-address.js';
import { ChatSession, errorText, type SessionEvent } from '../session/session.js';
import { formatEvent } from '../text/format.js';
import { jsonEvent } from '../text/json-event.js';
import { plainPalette } from '../text/palette.js';

/** The sources and targets of lines. */
export interface PipeStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** Ends early, with a goodbye. */
  readonly signal?: AbortSignal;
}

/** Events that belong to the error output. */
const PROBLEMS: ReadonlySet<SessionEvent['type']> = new Set(['failed', 'invalid', 'gap', 'state', 'waiting']);

/** @returns the exit code */
export async function runPipe(args: Arguments, streams: PipeStreams, version: string): Promise<number> {
  const { input, output, errors, signal } = streams;
  if (args.name === undefined) {
    throw new UsageError('a name is needed when there is no terminal to ask: --name NAME', 2);
  }
  const server = args.server ?? parseServerAddress(DEFAULT_SERVER)!;
  const client = createClient(server.url, args.name, args, version);
  let failed = false;
  let leaving = false;
  const print = (event: SessionEvent): void => {
    if (event.type === 'failed' || event.type === 'invalid') failed = true;
    if (event.type === 'quit') leaving = true;
    // What came in here is not repeated; what this user says elsewhere is.
    const isEcho = event.type === 'message' && event.message.own && !event.message.elsewhere;
    if (event.type === 'room' || isEcho) return;
    if (args.json) {
      const line = jsonEvent(event);
      if (line !== undefined) output.write(`${line}\n`);
      return;
    }
    const isProblem = PROBLEMS.has(event.type);
    const lines = formatEvent(event, {
      palette: plainPalette,
      times: false,
      currentRoom: () => session.room?.name,
      now: Date.now,
    });
    for (const line of lines) {
      if (isProblem) errors.write(`${line.replace(/^(!!!|\*\*\*)/, 'chat:')}\n`);
      else output.write(`${line}\n`);
    }
  };
  const session = new ChatSession(client, { history: args.history ?? 0, show: print });
  let lines: Interface | undefined;
  const stop = (): void => {
    leaving = true;
    lines?.close();
    void client.close();
  };
  signal?.addEventListener('abort', stop, { once: true });
  client.on('state', ({ status }) => status === 'closed' && stop());
  try {
    await client.connect();
    await session.join(args.room);
    // Not before somebody reads: it would give its lines to nobody while the client connects.
    lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      if (leaving) break;
      await submitPatiently(session, line, signal);
      if (leaving) break;
    }
    // An end that the user asked for is no failure; an end by the server is one.
    const lost = client.state.status === 'closed' && !signal?.aborted;
    return failed || lost ? 1 : 0;
  } catch (error) {
    if (signal?.aborted) return 0;
    // A connection that was lost for good has been told already, as a change of state.
    if (client.state.status !== 'closed' || client.state.reason !== error) {
      errors.write(`chat: ${errorText(error)}\n`);
    }
    return 1;
  } finally {
    lines?.close();
    input.destroy();
    await client.close();
  }
}

/** Repeats a line that came too soon. */
async function submitPatiently(session: ChatSession, line: string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const result = await session.submit(line, { quietly: isRateLimit });
    if (typeof result === 'boolean') return;
    await delay((ClientError.is(result) ? result.retryAfterMs : undefined) ?? RETRY_MS, signal);
    if (signal?.aborted) return;
  }
}

const RETRY_MS = 250;

function isRateLimit(error: unknown): boolean {
  return ClientError.is(error) && error.code === 'ERR_CLIENT_RATE_LIMITED';
}
