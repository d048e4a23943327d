import { describe, expect, it } from 'vitest';
import { linePair } from '../../../test/support/line-pair.js';
import { answer } from './answering.js';
import { createMessage, MessageKind, readArgument, readNumber, readSecond, writeNumber } from './message.js';

describe('answer', () => {
  it('gives credit for what it received, and says how much of it was out of place', () => {
    const [near, far] = linePair();
    const seen: number[][] = [];
    near.receive((bytes, start) =>
      seen.push([readNumber(bytes, start), readArgument(bytes, start), readSecond(bytes, start)]),
    );
    answer(far);
    const reset = createMessage(MessageKind.Reset, undefined, 2);
    writeNumber(reset, 7);
    near.send(reset);
    for (const number of [1, 2, 4]) {
      const message = createMessage(MessageKind.Data);
      writeNumber(message, number);
      near.send(message);
    }
    near.send(createMessage(MessageKind.Flush));
    while (far.poll!()) near.poll!();
    while (near.poll!());
    expect(seen).toEqual([
      [7, 2, 0],
      [7, 3, 1],
    ]);
  });

  it('takes the messages of a burst unread, and gives credit after the last', () => {
    const [near, far] = linePair();
    const seen: number[][] = [];
    near.receive((bytes, start) => seen.push([readNumber(bytes, start), readArgument(bytes, start)]));
    const turn = answer(far);
    const drain = createMessage(MessageKind.Drain, undefined, 3);
    writeNumber(drain, 4);
    near.send(drain);
    // Whatever they hold: these would be read as resets.
    for (let i = 0; i < 3; i++) near.send(createMessage(MessageKind.Reset));
    while (turn());
    while (near.poll!());
    expect(seen).toEqual([[4, 3]]);
  });

  it('sends the messages of a bounce back as they are', () => {
    const [near, far] = linePair();
    const seen: string[] = [];
    near.receive((bytes, start, end) => seen.push(Buffer.from(bytes.slice(start, end)).toString()));
    const turn = answer(far);
    near.send(createMessage(MessageKind.Bounce, undefined, 2));
    for (const text of ['one', 'another']) near.send(Buffer.from(text));
    while (turn());
    while (near.poll!());
    expect(seen).toEqual(['one', 'another']);
  });
});
