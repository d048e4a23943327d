/** What the far end does with each message: returns it, or counts it, checks its number and gives credit. */
import type { Line } from './line.js';
import { createMessage, MessageKind, readArgument, readKind, readNumber, writeNumber } from './message.js';

/**
 * Answers on a line until the process ends.
 *
 * @returns what sends the answers that found no room, to be called by those who ask a line all the time;
 *   elsewhere the event loop does it
 */
export function answer(line: Line): () => void {
  const waiting: Uint8Array[] = [];
  let run = 0;
  let acknowledgeEvery = 1;
  let received = 0;
  let misplaced = 0;

  const flush = (): void => {
    while (waiting.length > 0 && line.send(waiting[0]!)) waiting.shift();
  };
  const flushLater = (): void => {
    flush();
    if (waiting.length > 0) setImmediate(flushLater);
  };
  const send = (bytes: Uint8Array): void => {
    if (waiting.length === 0 && line.send(bytes)) return;
    waiting.push(bytes.slice());
    if (waiting.length === 1 && !line.poll) setImmediate(flushLater);
  };
  const giveCredit = (): void => {
    const credit = createMessage(MessageKind.Credit, undefined, received, misplaced);
    // A credit may still be on its way when the next run begins, and must not count there.
    writeNumber(credit, run);
    send(credit);
  };

  line.receive((bytes, start, end) => {
    switch (readKind(bytes, start)) {
      case MessageKind.Data:
        received++;
        if (readNumber(bytes, start) !== received) misplaced++;
        if (received % acknowledgeEvery === 0) giveCredit();
        break;
      case MessageKind.Echo:
        send(bytes.subarray(start, end));
        break;
      case MessageKind.Reset:
        run = readNumber(bytes, start);
        acknowledgeEvery = readArgument(bytes, start);
        received = 0;
        misplaced = 0;
        break;
      case MessageKind.Flush:
        giveCredit();
        break;
    }
  });
  return flush;
}
