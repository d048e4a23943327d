/**
 * The measurements, on the near end of one open line.
 *
 * **Round trips** are made at a fixed rate: each message is due at a moment of its own, and its latency counts
 * from there, whether or not it could be sent then (no coordinated omission). **Throughput** keeps a window of
 * messages on their way; the other end counts what arrives, in order, and gives credit every quarter of the
 * window. **Waking** sends one message after a silence long enough for everybody to be asleep.
 */
import { LatencyHistogram } from '../harness/latency-histogram.js';
import { readThreadCpuNs } from '../harness/resource-use.js';
import type { Line } from '../ways/way.js';
import {
  createMessage,
  MESSAGE_BYTES,
  MessageKind,
  readArgument,
  readKind,
  readNumber,
  readSecond,
  writeNumber,
} from './ends/message.js';
import { spin } from './ends/spinning.js';

/** CPU time in nanoseconds that each process used; undefined where the system does not tell. */
export interface CpuUse {
  readonly near: number | undefined;
  readonly far: number | undefined;
  readonly server: number | undefined;
}

/** Round trips at a fixed rate. */
export interface RoundTrips {
  /** An encoded {@link LatencyHistogram}. */
  readonly latency: string;
  readonly sent: number;
  readonly lost: number;
  /** Share of a core that the end got which got less of one; undefined where it was not measured. */
  readonly coreShare?: number | undefined;
}

/** One-way transfer as fast as it goes. */
export interface Throughput {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpu: CpuUse;
  readonly lost: number;
}

/** What nothing costs. */
export interface IdleCost {
  readonly elapsedMs: number;
  readonly cpu: CpuUse;
}

const WARM_UP_SHARE = 0.25;
const DEFAULT_ANSWER_TIMEOUT_MS = 5000;
const MAX_WINDOW = 1024;
const MIN_WINDOW = 4;
const WINDOW_BYTES = 2_097_152;
const NAP_MS = 2;
const WAKE_BYTES = 64;
const MAX_EXTENSIONS = 20;

/** Messages that may be on their way at a time, for messages of this size. */
export function windowFor(bytes: number): number {
  return Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, Math.floor(WINDOW_BYTES / bytes)));
}

/** Measures one line, one thing after the other. */
export class Meter {
  readonly #line: Line;
  readonly #pids: { readonly near: number; readonly far: number; readonly server: number | undefined };
  readonly #answerTimeoutMs: number;
  /** Which measurement is under way; answers to earlier ones are late. */
  #run = 0;
  #onEcho: (number: number) => void = () => {};
  #onCredit: (received: number, misplaced: number) => void = () => {};

  /** @param options - `answerTimeoutMs`: what has not come back by then is lost */
  constructor(
    line: Line,
    pids: { near: number; far: number; server: number | undefined },
    options: { readonly answerTimeoutMs?: number } = {},
  ) {
    this.#line = line;
    this.#pids = pids;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS;
    line.receive((bytes, start) => {
      if (readKind(bytes, start) === MessageKind.Echo) {
        if (readArgument(bytes, start) === this.#run) this.#onEcho(readNumber(bytes, start));
      } else if (readNumber(bytes, start) === this.#run) {
        this.#onCredit(readArgument(bytes, start), readSecond(bytes, start));
      }
    });
  }

  /** Sends messages of `bytes` bytes at a fixed rate and waits for each to come back. */
  async roundTrips(bytes: number, ratePerSecond: number, durationMs: number): Promise<RoundTrips> {
    const count = Math.max(2, Math.round((ratePerSecond * durationMs) / 1000));
    const intervalMs = 1000 / ratePerSecond;
    const dueAt = new Float64Array(count);
    const latencyMs = new Float64Array(count).fill(-1);
    const message = createMessage(MessageKind.Echo, bytes, ++this.#run);
    let back = 0;
    let wake = (): void => {};
    this.#onEcho = (number) => {
      latencyMs[number] = performance.now() - dueAt[number]!;
      back++;
      wake();
    };
    const begin = { at: performance.now(), cpu: this.#readCpu() };
    const firstAt = performance.now() + intervalMs;
    for (let number = 0; number < count; number++) dueAt[number] = firstAt + number * intervalMs;
    if (this.#line.poll) await this.#sendWhenDuePolling(message, dueAt);
    else {
      await this.#sendWhenDue(message, dueAt, {
        answered: (number) => back === number,
        onAnswer(listener) {
          wake = listener;
        },
      });
    }
    await this.#until(() => back === count);
    this.#onEcho = () => {};
    const coreShare = leastShare(subtract(this.#readCpu(), begin.cpu), performance.now() - begin.at);
    const latency = new LatencyHistogram();
    // The first messages find cold code; a share of them is left out, as everywhere.
    for (let number = Math.floor(count * WARM_UP_SHARE); number < count; number++) {
      if (latencyMs[number]! >= 0) latency.record(latencyMs[number]! * 1e6);
    }
    return { latency: latency.encode(), sent: count, lost: count - back, coreShare };
  }

  /** Moves messages of `bytes` bytes one way for `durationMs`, after a warm-up. */
  async throughput(
    bytes: number,
    durationMs: number,
    window: number = windowFor(bytes),
  ): Promise<Throughput> {
    const message = createMessage(MessageKind.Data, bytes);
    let sent = 0;
    let received = 0;
    let misplaced = 0;
    let open = true;
    let retrying = false;
    const pump = (): void => {
      while (open && sent - received < window) {
        writeNumber(message, sent + 1);
        if (!this.#line.send(message)) {
          if (!this.#line.poll && !retrying) {
            retrying = true;
            setImmediate(() => {
              retrying = false;
              pump();
            });
          }
          return;
        }
        sent++;
      }
    };
    this.#onCredit = (count, wrong) => {
      received = count;
      misplaced = wrong;
      pump();
    };
    const reset = createMessage(MessageKind.Reset, MESSAGE_BYTES, Math.max(1, window >> 2));
    writeNumber(reset, ++this.#run);
    await this.#sendSurely(reset);
    const pass = async (ms: number): Promise<void> => {
      const end = performance.now() + ms;
      pump();
      if (this.#line.poll) {
        const { poll } = this.#line;
        await spin(
          () => {
            pump();
            return poll();
          },
          () => performance.now() >= end,
        );
      } else {
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    };
    await pass(durationMs * WARM_UP_SHARE);
    const start = { at: performance.now(), received, cpu: this.#readCpu() };
    await pass(durationMs);
    // Credit comes in steps; a line so slow that none came in this time is given more of it.
    for (let more = 0; received === start.received && more < MAX_EXTENSIONS; more++) await pass(durationMs);
    const end = { at: performance.now(), received, cpu: this.#readCpu() };
    open = false;
    await this.#sendSurely(createMessage(MessageKind.Flush));
    await this.#until(() => received === sent);
    this.#onCredit = () => {};
    return {
      messages: end.received - start.received,
      elapsedMs: end.at - start.at,
      cpu: subtract(end.cpu, start.cpu),
      lost: sent - received + misplaced,
    };
  }

  /** Round trips that begin when everybody has been asleep for a while. */
  async wakeUps(count: number, silenceMs: number): Promise<RoundTrips> {
    const latency = new LatencyHistogram();
    const message = createMessage(MessageKind.Echo, WAKE_BYTES, ++this.#run);
    let back = -1;
    let arrivedAt = 0;
    this.#onEcho = (number) => {
      arrivedAt = performance.now();
      back = number;
    };
    let lost = 0;
    for (let number = 0; number < count; number++) {
      await new Promise((resolve) => setTimeout(resolve, silenceMs));
      const sentAt = performance.now();
      writeNumber(message, number);
      await this.#sendSurely(message);
      await this.#until(() => back === number);
      if (back === number) latency.record((arrivedAt - sentAt) * 1e6);
      else lost++;
    }
    this.#onEcho = () => {};
    return { latency: latency.encode(), sent: count, lost };
  }

  /** Waits, as each line waits, and reads what it costs. */
  async idle(durationMs: number): Promise<IdleCost> {
    const start = { at: performance.now(), cpu: this.#readCpu() };
    const end = start.at + durationMs;
    if (this.#line.poll) await spin(this.#line.poll, () => performance.now() >= end);
    else await new Promise((resolve) => setTimeout(resolve, durationMs));
    return { elapsedMs: performance.now() - start.at, cpu: subtract(this.#readCpu(), start.cpu) };
  }

  async #sendSurely(message: Uint8Array): Promise<void> {
    while (!this.#line.send(message)) {
      this.#line.poll?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Sleeps until the answers are there, as a program would, and only then looks at the clock all the time. */
  async #sendWhenDue(
    message: Uint8Array,
    dueAt: Float64Array,
    answers: { answered(number: number): boolean; onAnswer(listener: () => void): void },
  ): Promise<void> {
    for (const [number, due] of dueAt.entries()) {
      while (!answers.answered(number) && performance.now() < due) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, NAP_MS);
          answers.onAnswer(resolve);
        });
        clearTimeout(timer);
      }
      while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
      writeNumber(message, number);
      await this.#sendSurely(message);
    }
  }

  /** Looks at the clock between two polls: a promise in between would be a good part of such a round trip. */
  async #sendWhenDuePolling(message: Uint8Array, dueAt: Float64Array): Promise<void> {
    const poll = this.#line.poll!;
    let next = 0;
    await spin(
      () => {
        if (next < dueAt.length && performance.now() >= dueAt[next]!) {
          writeNumber(message, next);
          if (this.#line.send(message)) next++;
        }
        return poll();
      },
      () => next === dueAt.length,
    );
  }

  async #until(done: () => boolean): Promise<void> {
    const deadline = performance.now() + this.#answerTimeoutMs;
    const over = (): boolean => done() || performance.now() >= deadline;
    if (this.#line.poll) {
      await spin(this.#line.poll, over);
      return;
    }
    while (!over()) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #readCpu(): CpuUse {
    const { near, far, server } = this.#pids;
    return {
      near: readThreadCpuNs(near),
      far: far === near ? 0 : readThreadCpuNs(far),
      server: server === undefined ? undefined : readThreadCpuNs(server),
    };
  }
}

/** Of the two ends; two threads of one process cannot be told apart. */
function leastShare({ near, far }: CpuUse, elapsedMs: number): number | undefined {
  return near === undefined || !far ? undefined : Math.min(near, far) / (elapsedMs * 1e6);
}

/** CPU time of all processes together. */
export function totalCpuNs({ near, far, server }: CpuUse): number | undefined {
  return near === undefined || far === undefined ? undefined : near + far + (server ?? 0);
}

function subtract(end: CpuUse, start: CpuUse): CpuUse {
  const difference = (left: number | undefined, right: number | undefined): number | undefined =>
    left === undefined || right === undefined ? undefined : left - right;
  return {
    near: difference(end.near, start.near),
    far: difference(end.far, start.far),
    server: difference(end.server, start.server),
  };
}
