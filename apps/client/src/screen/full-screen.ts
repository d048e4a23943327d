/**
 * The front end for people at a terminal: asks for what is missing, then takes the whole screen until the
 * user leaves.
 */
import type { ChatClient } from '@chat/client';
import type { Arguments } from '../args.js';
import { systemClock } from '../clock.js';
import { delay } from '../delay.js';
import { LineScreen } from '../lines/line-screen.js';
import { enter, type TerminalStreams } from '../lines/terminal.js';
import { displayAddress } from '../server-address.js';
import { errorText } from '../session/session.js';
import { Bell } from '../text/bell.js';
import { ScreenController } from './live/screen-controller.js';
import type { ScreenSize } from './rows/layout.js';
import { readKeys } from './terminal/keyboard.js';
import { TerminalMode } from './terminal/terminal-mode.js';
import { composeFrame } from './view/frame.js';
import { ScreenView } from './view/screen-view.js';
import { colourDepth, Theme } from './view/theme.js';

const DEFAULT_HISTORY = 100;
/** How long leaving waits for messages that are under way. */
const LAST_WORDS_MS = 2000;
const EXIT_QUIT = 131;

/** @returns the exit code */
export async function runFullScreen(
  args: Arguments,
  streams: TerminalStreams,
  version: string,
): Promise<number> {
  const client = await connectAsking(args, streams, version);
  if (client === undefined) return 0;
  await chat(client, args, streams);
  const { state } = client;
  const failure = state.status === 'closed' ? state.reason : undefined;
  await client.close();
  if (failure === undefined) return 0;
  streams.output.write(`chat: ${errorText(failure)}\n`);
  return 1;
}

/** Questions are asked in lines, and so is told why there is no connection. */
async function connectAsking(
  args: Arguments,
  { input, output, signal }: TerminalStreams,
  version: string,
): Promise<ChatClient | undefined> {
  const lines = new LineScreen({ input, output, complete: () => [] });
  const leave = () => lines.close();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await enter(lines, args, version);
  } finally {
    signal.removeEventListener('abort', leave);
    lines.close();
  }
}

/** Shows the screen until the user leaves, the client is closed, or a signal comes. */
async function chat(
  client: ChatClient,
  args: Arguments,
  { input, output, environment, signal }: TerminalStreams,
): Promise<void> {
  const view = new ScreenView((text) => output.write(text), new Theme(colourDepth(output, environment)));
  const mode = new TerminalMode(output);
  const bell = new Bell(args.notify, systemClock.monotonic, (text) => output.write(text));
  const { promise: left, resolve: leave } = deferred();
  let closeKeys = () => {};
  const open = () => {
    mode.enter();
    closeKeys = readKeys(input, (key) => controller.press(key), systemClock);
    view.clear();
    controller.dispatch({ type: 'resized', size: sizeOf(output) });
    controller.draw();
  };
  const close = () => {
    closeKeys();
    mode.leave();
  };
  const controller: ScreenController = new ScreenController({
    client,
    server: displayAddress(client.url),
    history: args.history ?? DEFAULT_HISTORY,
    size: sizeOf(output),
    clock: systemClock,
    draw: (state) => view.draw(composeFrame(state, systemClock.now())),
    hear: (message, isDirect) => bell.hear(message, client.name, isDirect),
    redraw: () => {
      view.clear();
      controller.draw();
    },
    suspend: () => {
      close();
      process.once('SIGCONT', open);
      // The whole job, so that whatever started this program stops with it.
      process.kill(0, 'SIGTSTP');
    },
    leave,
  });
  const resize = () => {
    view.clear();
    controller.dispatch({ type: 'resized', size: sizeOf(output) });
    controller.draw();
  };
  const unwatch = watchEnd(mode);
  output.on('resize', resize);
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    open();
    await controller.join(args.room);
    await left;
    if (client.state.status === 'open') await lastWords(controller, signal);
  } finally {
    controller.stop();
    output.off('resize', resize);
    signal.removeEventListener('abort', leave);
    close();
    unwatch();
  }
}

/** Waits for what is under way, but not for long. */
async function lastWords(controller: ScreenController, signal: AbortSignal): Promise<void> {
  const said = new AbortController();
  const settled = controller.settled().then(() => said.abort());
  await Promise.race([settled, delay(LAST_WORDS_MS, AbortSignal.any([signal, said.signal]))]);
}

/**
 * Gives the terminal back before an error is printed. A signal that comes twice does not end the process
 * before that.
 */
function watchEnd(mode: TerminalMode): () => void {
  const restore = () => mode.leave();
  const quit = () => {
    mode.leave();
    process.exit(EXIT_QUIT);
  };
  const stay = () => {};
  const ignored = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  process.on('uncaughtExceptionMonitor', restore);
  process.on('SIGQUIT', quit);
  for (const name of ignored) process.on(name, stay);
  return () => {
    process.off('uncaughtExceptionMonitor', restore);
    process.off('SIGQUIT', quit);
    for (const name of ignored) process.off(name, stay);
  };
}

function sizeOf({ columns, rows }: TerminalStreams['output']): ScreenSize {
  // A terminal that does not know its size says 0.
  return { columns: columns || 80, rows: rows || 24 };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
