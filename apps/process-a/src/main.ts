/**
 * Process A, the writer: one side of a conversation in shared memory.
 *
 * What is typed here appears in process B, and the reverse. Without a terminal it writes a message every second, so that there is
 * something to watch. What both processes do alike, create or attach, lock, write or read, unlock, detach and clean up, is in
 * `apps/processes`; here is only what makes this one A.
 */
import { processOptions, runProcess, wholeNumber } from 'chat-processes';

const options = processOptions<{ every?: number }>(
  'process-a',
  'Writes to process B through shared memory, and shows what B has to say.',
  (command) =>
    command.option(
      '--every <ms>',
      'write by itself this often, 0 for never (default: 1000 without a terminal)',
      wholeNumber,
    ),
);

await runProcess('a', options, {
  write: {
    everyMs: options.every ?? (process.stdin.isTTY ? 0 : 1000),
    text: () => `it is ${new Date().toTimeString().slice(0, 8)} here`,
  },
  outlivesInput: (options.every ?? 0) > 0,
});
