/**
 * What the far end does with each message: returns it, or counts it, checks its number and gives credit. Of a
 * burst it takes a number of messages as fast as they come, and only looks at both ends of each.
 */
import type { Line } from '../../ways/way.js';
import { createMessage, MessageKind, readArgument, readKind, readNumber, writeNumber } from './message.js';

/** Turns of nothing after an empty poll in a burst: looking all the time would slow the writer down. */
const IDLE_TURNS = 1000;
/** After so many empty polls the event loop gets a turn, in which the end of the process is noticed. */
const MAX_EMPTY_POLLS = 100_000;

/**
 * Answers on a line until the process ends.
 *
 * @returns one turn of a line that is polled; it tells whether there was a message. The other lines are woken by
 *   the event loop, and their answers that found no room are sent by it
 */
export function answer(line: Line): () => boolean {
  const waiting: Uint8Array[] = [];
  let copy = new Uint8Array(0);
  let run = 0;
  let acknowledgeEvery = 1;
  let received = 0;
  let misplaced = 0;
  /** Messages of a burst that have not come yet. */
  let burst = 0;
  let bounces = false;
  let looked = 0;

  const flush = (): void => {
    while (waiting.length > 0 && line.send(waiting[0]!)) waiting.shift();
    line.flush?.();
  };
  const flushLater = (): void => {
    flush();
    if (waiting.length > 0) setImmediate(flushLater);
  };
  const send = (bytes: Uint8Array): void => {
    if (waiting.length === 0 && line.send(bytes)) {
      line.flush?.();
      return;
    }
    waiting.push(bytes.slice());
    if (waiting.length === 1 && !line.poll) setImmediate(flushLater);
  };
  const giveCredit = (): void => {
    const credit = createMessage(MessageKind.Credit, undefined, received, misplaced);
    // A credit may still be on its way when the next run begins, and must not count there.
    writeNumber(credit, run);
    send(credit);
  };
  const echo = (bytes: Uint8Array, start: number, end: number): void => {
    // Into the same array each time: a view of every message would be a good part of a polled round trip.
    if (copy.length !== end - start) copy = new Uint8Array(end - start);
    for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i]!;
    send(copy);
  };

  line.receive((bytes, start, end) => {
    if (burst > 0) {
      burst--;
      if (bounces) {
        echo(bytes, start, end);
      } else {
        looked = (looked + bytes[start]! + bytes[end - 1]!) | 0;
        if (burst === 0) giveCredit();
      }
      return;
    }
    switch (readKind(bytes, start)) {
      case MessageKind.Data:
        received++;
        if (readNumber(bytes, start) !== received) misplaced++;
        if (received % acknowledgeEvery === 0) giveCredit();
        break;
      case MessageKind.Echo:
        echo(bytes, start, end);
        break;
      case MessageKind.Reset:
        run = readNumber(bytes, start);
        acknowledgeEvery = readArgument(bytes, start);
        received = 0;
        misplaced = 0;
        break;
      case MessageKind.Drain:
      case MessageKind.Bounce:
        run = readNumber(bytes, start);
        burst = readArgument(bytes, start);
        bounces = readKind(bytes, start) === MessageKind.Bounce;
        received = burst;
        misplaced = 0;
        break;
      case MessageKind.Flush:
        giveCredit();
        break;
    }
  });
  return () => {
    if (waiting.length > 0) flush();
    const { poll } = line;
    if (!poll) return false;
    for (let empty = 0; burst > 0 && empty < MAX_EMPTY_POLLS; ) {
      if (poll()) {
        empty = 0;
      } else {
        empty++;
        if (!bounces) for (let i = 0; i < IDLE_TURNS; i++);
      }
      if (waiting.length > 0) flush();
    }
    return poll();
  };
}
