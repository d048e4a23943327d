/**
 * Process B, the reader: the other side of a conversation in shared memory.
 *
 * It shows what process A writes; without a terminal it also answers each message, with a terminal it is the user who answers.
 * Message and answer are one act: killed at any instant and started again, this process answers every message once. What both
 * processes do alike is in `apps/processes`; here is only what makes this one B.
 */
import { processOptions, runProcess } from 'chat-processes';

const options = processOptions<{ answer?: true }>(
  'process-b',
  'Reads what process A writes into shared memory, and answers.',
  (command) => command.option('--answer', 'answer each message (default without a terminal)'),
);
const answers = options.answer ?? !process.stdin.isTTY;

await runProcess('b', options, {
  ...(answers && { answer: ({ number }) => `thank you for message ${number}` }),
  outlivesInput: options.answer === true,
});
