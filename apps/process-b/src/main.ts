/**
 * Process B, the reader: the other side of a conversation in shared memory.
 *
 * It shows what process A writes; without a terminal it also answers each message, with a terminal it is the user who answers.
 * Each thing that is done to the shared memory is shown once it was done. Message and answer are one act to the library
 * (`answer`): killed at any instant and started again, this process answers every message once.
 */
import { clearLine, createInterface, cursorTo } from 'node:readline';
import { type ConversationMessage, openConversation, ShmError } from '@chat/shm';
import { Command, InvalidArgumentError } from 'commander';

const options = new Command('process-b')
  .description('Reads what process A writes into shared memory, and answers.')
  .option('--name <name>', 'how to sign messages', 'B')
  .option('--segment <name>', 'name of the shared memory', 'chat')
  .option('--count <n>', 'leave once messages 1 to n were exchanged both ways', wholeNumber)
  .option('--answer', 'answer each message (default without a terminal)')
  .option('--quiet', 'show the messages only')
  .option('--optional', 'where there is no shared memory, say so and end without an error')
  .parse()
  .opts<{ name: string; segment: string; count?: number; answer?: true; quiet?: true; optional?: true }>();
const { count = Number.POSITIVE_INFINITY, answer = !process.stdin.isTTY } = options;

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
  side: 'b',
  keepAlive: true,
  signal: leaving.signal,
  onStep: ({ name, detail }) => options.quiet || show(`${name.padStart(12)}  ${detail}`),
}).catch(giveUp);

keyboard.on('line', (line) => line.trim() === '' || void say(line));
if (process.stdin.isTTY) show('Type a line and press Enter; Ctrl-C leaves.');
leaveWhenDone(conversation.receivedNumber);

for await (const event of conversation) {
  if (event.kind === 'message') {
    const note = event.again ? ' (again: this process was killed over it)' : '';
    show(`<- #${event.number} ${text(event.bytes)}${note}`);
    // Left without an answer, it is not done with, and comes again next time.
    if (answer && !(await say(`thank you for message ${event.number}`, event))) break;
    leaveWhenDone(event.number);
  } else {
    show(
      `process A (${event.pid}) ${event.kind === 'arrived' ? 'is here' : `${event.kind}; waiting for it`}`,
    );
  }
}
keyboard.close();
process.stdin.destroy();
await conversation.close();

/** Writes a message; with `to`, as the answer to that one. False when it could not be written. */
async function say(line: string, to?: ConversationMessage): Promise<boolean> {
  const bytes = new TextEncoder().encode(`${options.name}: ${line}`);
  try {
    const number = await (to === undefined ? conversation.send(bytes) : conversation.answer(to, bytes));
    if (!process.stdin.isTTY) show(`-> #${number} ${options.name}: ${line}`);
    leaveWhenDone(conversation.receivedNumber);
    return true;
  } catch (error) {
    if (!leaving.signal.aborted) show(`not sent: ${(error as Error).message}`);
    return false;
  }
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
  console.error(`process B cannot start: ${error.message} (${error.code})`);
  const lacking = error.code === 'ERR_SHM_UNSUPPORTED' || error.code === 'ERR_SHM_ADDON_MISSING';
  process.exit(options.optional && lacking ? 0 : 1);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}
