/**
 * Process A, the writer: one side of a conversation in shared memory.
 *
 * What is typed here appears in process B, and the reverse. Without a terminal it writes a message every second, so that there is
 * something to watch. Each thing that is done to the shared memory is shown once it was done. What survives a `kill -9` is
 * decided by `openConversation`, not here; this file has a keyboard, a clock and a screen.
 *
 * Process B is written alike, line by line, and shares no code with this one, on purpose: each is one file that can be read from top to
 * bottom, and `diff` of the two shows what the sides do differently. Keyboard and screen are no business of `@chat/shm`.
 */
import { clearLine, createInterface, cursorTo } from 'node:readline';
import { openConversation, ShmError } from '@chat/shm';
import { Command, InvalidArgumentError } from 'commander';

const options = new Command('process-a')
  .description('Writes to process B through shared memory, and shows what B has to say.')
  .option('--name <name>', 'how to sign messages', 'A')
  .option('--segment <name>', 'name of the shared memory', 'chat')
  .option('--count <n>', 'leave once messages 1 to n were exchanged both ways', wholeNumber)
  .option(
    '--every <ms>',
    'write by itself this often, 0 for never (default: 1000 without a terminal)',
    wholeNumber,
  )
  .option('--quiet', 'show the messages only')
  .option('--optional', 'where there is no shared memory, say so and end without an error')
  .parse()
  .opts<{ name: string; segment: string; count?: number; every?: number; quiet?: true; optional?: true }>();
const { count = Number.POSITIVE_INFINITY, every = process.stdin.isTTY ? 0 : 1000 } = options;

const leaving = new AbortController();
let askedAt = Number.POSITIVE_INFINITY;
process.on('SIGINT', leave).on('SIGTERM', leave);
process.stdout.on('error', leave);

const keyboard = createInterface({
  input: process.stdin,
  ...(process.stdin.isTTY && { output: process.stdout }),
});
keyboard.on('SIGINT', leave).on('close', () => process.stdin.isTTY && leave());

const conversation = await openConversation(options.segment, {
  side: 'a',
  keepAlive: true,
  signal: leaving.signal,
  onStep: ({ name, detail }) => options.quiet || show(`${name.padStart(12)}  ${detail}`),
}).catch(giveUp);

keyboard.on('line', (line) => line.trim() === '' || void say(line));
if (process.stdin.isTTY) show('Type a line and press Enter; Ctrl-C leaves.');
let writing = false;
const clock = setInterval(() => void writeByItself(), every || 2 ** 31 - 1);
leaveWhenDone(conversation.receivedNumber);

for await (const event of conversation) {
  if (event.kind === 'message') {
    const note = event.again ? ' (again: this process was killed over it)' : '';
    show(`<- #${event.number} ${text(event.bytes)}${note}`);
    leaveWhenDone(event.number);
  } else {
    show(
      `process B (${event.pid}) ${event.kind === 'arrived' ? 'is here' : `${event.kind}; waiting for it`}`,
    );
  }
}
clearInterval(clock);
keyboard.close();
process.stdin.destroy();
await conversation.close();

async function say(line: string): Promise<void> {
  try {
    const number = await conversation.send(new TextEncoder().encode(`${options.name}: ${line}`));
    if (!process.stdin.isTTY) show(`-> #${number} ${options.name}: ${line}`);
    leaveWhenDone(conversation.receivedNumber);
  } catch (error) {
    if (!leaving.signal.aborted) show(`not sent: ${(error as Error).message}`);
  }
}

/** Writes a message, unless the one before still waits for room or `--count` of them were written. */
async function writeByItself(): Promise<void> {
  if (every === 0 || writing || conversation.sentNumber >= count) return;
  writing = true;
  await say(`it is ${new Date().toTimeString().slice(0, 8)} here`);
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

/** A message as it may be shown: control characters could do anything to the terminal. */
function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\p{Cc}/gu, '·');
}

/** Prints a line above the one that is being typed. */
function show(line: string): void {
  if (!process.stdin.isTTY) {
    process.stdout.write(`${line}\n`);
    return;
  }
  clearLine(process.stdout, 0);
  cursorTo(process.stdout, 0);
  process.stdout.write(`${line}\n`);
  if (!leaving.signal.aborted) keyboard.prompt(true);
}

function giveUp(error: unknown): never {
  if (leaving.signal.aborted) process.exit(0);
  if (!ShmError.is(error)) throw error;
  console.error(`process A cannot start: ${error.message} (${error.code})`);
  const lacking = error.code === 'ERR_SHM_UNSUPPORTED' || error.code === 'ERR_SHM_ADDON_MISSING';
  process.exit(options.optional && lacking ? 0 : 1);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}
