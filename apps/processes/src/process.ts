/**
 * A process with a keyboard, a screen and one side of a conversation. What survives a `kill -9` is decided in `conversation.ts`, not here.
 */
import { ShmError } from '@chat/shm';
import { Conversation, type Message, type Side } from './conversation.js';
import type { ProcessOptions } from './options.js';
import { Terminal } from './terminal.js';

/** What a process does by itself. */
export interface Behaviour {
  /** Written every so many milliseconds, if that is not 0. */
  readonly write?: { readonly everyMs: number; text(): string };
  /** What each message of the other side is answered with. */
  answer?(message: Message): string;
  /** Whether it goes on when standard input has ended, as it does where it was told what to do by itself. */
  readonly outlivesInput: boolean;
}

/** Runs side `side` until it is told to leave, or `--count` messages were exchanged. */
export async function runProcess(side: Side, options: ProcessOptions, behaviour: Behaviour): Promise<void> {
  const { count = Number.POSITIVE_INFINITY, name, quiet } = options;
  const other = side === 'a' ? 'B' : 'A';
  const leaving = new AbortController();
  let askedAt = Number.POSITIVE_INFINITY;
  /** The lines that were typed so far, one after the other. */
  let unsent: Promise<unknown> = Promise.resolve();
  const terminal = new Terminal({
    line: (text) => {
      unsent = unsent.then(() => opened).then((conversation) => say(conversation, text));
    },
    quit: leave,
    end: () => {
      if (leaving.signal.aborted) return;
      if (!behaviour.outlivesInput) {
        if (!terminal.isInteractive && !quiet) terminal.show('standard input has ended: leaving');
        void unsent.then(leave);
      } else if (!quiet) terminal.show('standard input has ended: going on until Ctrl-C or SIGTERM');
    },
  });
  process.on('SIGINT', leave).on('SIGTERM', leave);
  const once = ['create', 'attach', 'detach', 'clean up'];
  // Without a terminal there is a line for each message, not for each step.
  const showsSteps = options.steps ?? terminal.isInteractive;
  const opened = Conversation.open(options.segment, side, {
    signal: leaving.signal,
    onStep: ({ name: step, detail }) => {
      if (quiet || !(showsSteps || once.includes(step))) return;
      terminal.show(`${step.padStart(12)}  ${detail}`);
    },
  });
  const conversation = await opened.catch(giveUp);
  if (terminal.isInteractive) terminal.show('Type a line and press Enter; /quit or Ctrl-C leaves.');

  let writing = false;
  const clock = setInterval(() => void writeByItself(), behaviour.write?.everyMs || 2 ** 31 - 1);
  leaveWhenDone(conversation.receivedNumber);
  for await (const event of conversation.events()) {
    if (event.kind !== 'message') {
      const what = event.kind === 'arrived' ? 'is here' : `${event.kind}; waiting for it`;
      terminal.show(`process ${other} (${event.pid}) ${what}`);
      continue;
    }
    const note = event.again ? ' (again: this process was killed over it)' : '';
    terminal.show(`<- #${event.number} ${event.text}${note}`);
    // Left without an answer, it is not done with, and comes again next time.
    const answer = behaviour.answer?.(event);
    if (answer !== undefined && !(await say(conversation, answer, event.number))) break;
    leaveWhenDone(event.number);
  }
  clearInterval(clock);
  terminal.close();
  await conversation.close();

  /** Writes a message; with `answers`, as the answer to that one. False when it could not be written. */
  async function say(to: Conversation, line: string, answers?: number): Promise<boolean> {
    try {
      const number = await to.send(`${name}: ${line}`, answers);
      // In a terminal the line stands there already, and without one the other process shows it.
      if (options.steps && !terminal.isInteractive) terminal.show(`-> #${number} ${name}: ${line}`);
      leaveWhenDone(to.receivedNumber);
      return true;
    } catch (error) {
      if (!leaving.signal.aborted) terminal.show(`not sent: ${(error as Error).message}`);
      return false;
    }
  }

  /** Writes a message, unless the one before still waits for room or `--count` of them were written. */
  async function writeByItself(): Promise<void> {
    if (!behaviour.write?.everyMs || writing || conversation.sentNumber >= count) return;
    writing = true;
    await say(conversation, behaviour.write.text());
    writing = false;
  }

  /** Ends the loop above. Asked again a second later, it does not wait for a lock that somebody else holds. */
  function leave(): void {
    if (performance.now() - askedAt > 1000) process.exit(130);
    askedAt = Math.min(askedAt, performance.now());
    leaving.abort();
  }

  function leaveWhenDone(received: number): void {
    if (received >= count && conversation.sentNumber >= count) leave();
  }

  function giveUp(error: unknown): never {
    if (leaving.signal.aborted) process.exit(0);
    if (!ShmError.is(error)) throw error;
    console.error(`process ${side.toUpperCase()} cannot start: ${error.message} (${error.code})`);
    const lacking = error.code === 'ERR_SHM_UNSUPPORTED' || error.code === 'ERR_SHM_ADDON_MISSING';
    process.exit(options.optional && lacking ? 0 : 1);
  }
}
