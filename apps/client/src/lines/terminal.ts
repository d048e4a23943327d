/**
 * In a terminal, line by line: asks for what is missing, connects, and chats until the user leaves.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { type ChatClient, ClientError } from '@chat/client';
import { printable } from '@chat/protocol/lines';
import type { Arguments } from '../args.js';
import { systemClock } from '../clock.js';
import { createClient, isAboutName, isAboutPassword } from '../connection.js';
import { delay } from '../delay.js';
import { DEFAULT_SERVER, displayAddress, parseServerAddress } from '../server-address.js';
import { ChatSession, errorText, type SessionEvent } from '../session/session.js';
import { Bell } from '../text/bell.js';
import { formatEvent } from '../text/format.js';
import { jsonEvent } from '../text/json-event.js';
import { paletteFor } from '../text/palette.js';
import { LineScreen } from './line-screen.js';

/** The terminal, and what ends the program from outside. */
export interface TerminalStreams {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const DEFAULT_HISTORY = 20;
/** How long leaving waits for messages that are under way. */
const LAST_WORDS_MS = 2000;

/** @returns the exit code */
export async function runTerminal(
  args: Arguments,
  streams: TerminalStreams,
  version: string,
): Promise<number> {
  const { input, output, environment, signal } = streams;
  let session: ChatSession | undefined;
  const screen = new LineScreen({ input, output, complete: (line) => session?.completions(line) ?? [] });
  const leave = () => screen.close();
  signal.addEventListener('abort', leave, { once: true });
  const palette = paletteFor(output, environment);
  const bell = new Bell(args.notify, systemClock.monotonic, (text) => output.write(text));
  const show = (event: SessionEvent): void => {
    const options = {
      palette,
      times: true,
      currentRoom: () => session?.room?.name,
      now: Date.now,
    };
    const json = args.json ? jsonEvent(event) : undefined;
    if (!args.json && session && (event.type === 'message' || event.type === 'direct')) {
      bell.hear(event.message, session.name, event.type === 'direct');
    }
    screen.print(args.json ? (json === undefined ? [] : [json]) : formatEvent(event, options));
    if (event.type === 'quit' || (event.type === 'state' && event.state.status === 'closed')) screen.close();
    if (event.type === 'room' || event.type === 'state') {
      screen.setPrompt(promptFor(session?.room?.name, session?.online ?? true));
    }
  };
  try {
    const client = await enter(screen, args, version);
    if (client === undefined) return 0;
    session = new ChatSession(client, { history: args.history ?? DEFAULT_HISTORY, show });
    const present = session;
    screen.print([
      palette.dim(
        `*** connected to ${printable(`${displayAddress(client.url)} as ${client.name}`)}; /help for help`,
      ),
    ]);
    try {
      await present.join(args.room);
    } catch (error) {
      show({ type: 'failed', what: `cannot join ${args.room}`, error });
    }
    const open = new Set<Promise<unknown>>();
    await screen.read((line) => {
      if (line.trim() !== '' && !line.startsWith('/')) screen.eraseSubmitted();
      const done = present.submit(line).finally(() => open.delete(done));
      open.add(done);
    });
    if (client.state.status === 'open') await Promise.race([Promise.all(open), delay(LAST_WORDS_MS, signal)]);
    const failed = client.state.status === 'closed';
    await client.close();
    return failed ? 1 : 0;
  } finally {
    signal.removeEventListener('abort', leave);
    screen.close();
  }
}

/**
 * Asks and connects until it works or the user gives up. Values of the command line are tried as they are.
 */
export async function enter(
  screen: LineScreen,
  args: Arguments,
  version: string,
): Promise<ChatClient | undefined> {
  let server = args.server;
  let { name, password } = args;
  let isAsked = args.login && password === undefined;
  for (;;) {
    while (server === undefined) {
      const answer = await screen.ask(`Server (host or host:port) [${DEFAULT_SERVER}]: `);
      if (answer === undefined) return undefined;
      server = parseServerAddress(answer === '' ? DEFAULT_SERVER : answer);
      if (server === undefined) screen.print([`!!! '${answer}' is not the address of a server`]);
      name ??= server?.name;
    }
    while (name === undefined || name === '') {
      name = await screen.ask('Your name: ');
      if (name === undefined) return undefined;
    }
    if (isAsked) {
      password = await screen.askSecret(`Password for ${printable(name)} (Enter for another name): `);
      if (password === undefined) return undefined;
      isAsked = args.login && password === '';
      if (password === '') {
        [name, password] = [undefined, undefined];
        continue;
      }
    }
    const client = createClient(server.url, name, { ...args, password }, version);
    try {
      await client.connect();
      return client;
    } catch (error) {
      const isPassword = isAboutPassword(error);
      const canAskAgain =
        isPassword || isAboutName(error) || (args.server === undefined && ClientError.is(error));
      if (!canAskAgain) throw error;
      screen.print([`!!! ${printable(errorText(error))}`]);
      if (isPassword) isAsked = true;
      else if (isAboutName(error)) name = undefined;
      else server = undefined;
    }
  }
}

function promptFor(room: string | undefined, online: boolean): string {
  return `${online ? '' : '(offline) '}${room === undefined ? '> ' : `[${printable(room)}] `}`;
}
