/** Lines between two ends of one process, for tests of what is measured between them. */
import { answer } from '../../src/pairs/ends/answering.js';
import { MessageKind, readKind, readNumber } from '../../src/pairs/ends/message.js';
import type { PayloadListener } from '../../src/ways/stream/frame-scanner.js';
import type { Line } from '../../src/ways/way.js';

/** Two ends in one process; each holds `room` messages, and `drop` loses some on the way there. */
export function linePair(
  room = Number.POSITIVE_INFINITY,
  drop: (number: number) => boolean = () => false,
): [Line, Line] {
  const queues: [Uint8Array[], Uint8Array[]] = [[], []];
  const end = (side: 0 | 1): Line => {
    let listener: PayloadListener = () => {};
    return {
      send(bytes) {
        const queue = queues[side];
        if (queue.length >= room) return false;
        const lost = side === 0 && readKind(bytes, 0) === MessageKind.Data && drop(readNumber(bytes, 0));
        if (!lost) queue.push(bytes.slice());
        return true;
      },
      receive(to) {
        listener = to;
      },
      poll() {
        const message = queues[side === 0 ? 1 : 0].shift();
        if (!message) return false;
        listener(message, 0, message.length);
        return true;
      },
      close: async () => {},
    };
  };
  return [end(0), end(1)];
}

/** Both ends in one loop: asking the near one also turns the far one. */
export function joined(near: Line, far: Line): Line {
  const turn = answer(far);
  const { poll } = near;
  return {
    ...near,
    poll: () => {
      turn();
      return poll!();
    },
  };
}

/** The same without `poll`: each end is woken by the event loop, and answers at once. */
export function wokenPair(): Line {
  let toNear: PayloadListener = () => {};
  let toFar: PayloadListener = () => {};
  const end = (deliver: () => PayloadListener, receive: (listener: PayloadListener) => void): Line => ({
    send(bytes) {
      const copy = bytes.slice();
      setImmediate(() => deliver()(copy, 0, copy.length));
      return true;
    },
    receive,
    close: async () => {},
  });
  const near = end(
    () => toFar,
    (listener) => {
      toNear = listener;
    },
  );
  answer(
    end(
      () => toNear,
      (listener) => {
        toFar = listener;
      },
    ),
  );
  return near;
}
