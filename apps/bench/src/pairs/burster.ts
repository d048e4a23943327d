/**
 * Bursts on the near end of one open line, for `npm run bench:shm`: as fast as it goes, with a fixed count.
 *
 * A **flood** is one way, message after message, until the far end has taken the last one. **Ping-pong** sends a
 * message and waits for its echo. Neither is paced, numbered or acknowledged on the way: what is left is the line.
 */
import { LatencyHistogram } from '../harness/latency-histogram.js';
import type { Line } from '../ways/way.js';
import { createMessage, MESSAGE_BYTES, MessageKind, readKind, writeNumber } from './ends/message.js';

/** What a sleeping line sends before its writes go out, and before the event loop gets a turn. */
const MESSAGES_PER_WRITE = 32;
const MESSAGES_PER_TURN = 1024;
/** Polled round trips that are timed together: the clock would be a good part of one. */
const TIMED_TOGETHER = 64;
const FILLER = 7;
/** A polled line on which nothing moves for so long has lost its other end. */
const STUCK_MS = 10_000;
const TRIES_PER_LOOK = 65_536;

/** Drives one line. */
export class Burster {
  readonly #line: Line;
  #run = 0;
  #onCredit = (): void => {};
  #onEcho = (): void => {};

  constructor(line: Line) {
    this.#line = line;
    line.receive((bytes, start) => {
      if (readKind(bytes, start) === MessageKind.Credit) this.#onCredit();
      else this.#onEcho();
    });
  }

  /** @returns milliseconds from the first message until the far end said that it had the last one */
  async flood(bytes: number, count: number): Promise<number> {
    let done = false;
    const credit = new Promise<void>((resolve) => {
      this.#onCredit = () => {
        done = true;
        resolve();
      };
    });
    await this.#begin(MessageKind.Drain, count);
    const line = this.#line;
    const message = new Uint8Array(bytes).fill(FILLER);
    const start = performance.now();
    if (line.poll) {
      const send = (): boolean => line.send(message);
      for (let i = 0; i < count; i++) insist(send);
      line.flush?.();
      insist(() => line.poll!() && done);
    } else {
      for (let sent = 0; sent < count; ) {
        if (!line.send(message)) await this.#room();
        else if (++sent % MESSAGES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
        else if (sent % MESSAGES_PER_WRITE === 0) await undefined;
      }
      await credit;
    }
    return performance.now() - start;
  }

  /** @returns an encoded {@link LatencyHistogram} */
  async pingPong(bytes: number, count: number): Promise<string> {
    await this.#begin(MessageKind.Bounce, count);
    const line = this.#line;
    const message = new Uint8Array(bytes).fill(FILLER);
    const latency = new LatencyHistogram();
    if (line.poll) {
      let back = 0;
      let sent = 0;
      this.#onEcho = () => {
        back++;
      };
      const send = (): boolean => line.send(message);
      const receive = (): boolean => line.poll!() && back === sent;
      while (sent < count) {
        const together = Math.min(TIMED_TOGETHER, count - sent);
        const start = performance.now();
        for (let i = 0; i < together; i++) {
          insist(send);
          line.flush?.();
          sent++;
          insist(receive);
        }
        latency.record(((performance.now() - start) * 1e6) / together);
      }
    } else {
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        const echo = new Promise<void>((resolve) => {
          this.#onEcho = resolve;
        });
        while (!line.send(message)) await this.#room();
        await echo;
        latency.record((performance.now() - start) * 1e6);
      }
    }
    return latency.encode();
  }

  async #begin(kind: MessageKind, count: number): Promise<void> {
    const begin = createMessage(kind, MESSAGE_BYTES, count);
    writeNumber(begin, ++this.#run);
    while (!this.#line.send(begin)) await this.#room();
    this.#line.flush?.();
  }

  async #room(): Promise<unknown> {
    return this.#line.room ? this.#line.room() : new Promise((resolve) => setImmediate(resolve));
  }
}

/** Tries all the time until it succeeds. @throws Error when it has not for ten seconds */
function insist(attempt: () => boolean): void {
  for (let tries = 1, begin = 0; !attempt(); tries++) {
    if (tries % TRIES_PER_LOOK !== 0) continue;
    if (begin === 0) begin = performance.now();
    if (performance.now() - begin > STUCK_MS) throw new Error('the far end does not answer');
  }
}
