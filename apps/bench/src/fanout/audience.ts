/**
 * One publisher and N subscribers of one server, in one process, and the two ways in which they are driven.
 *
 * **Window.** A message is in flight from the moment it is published until *every* subscriber has received
 * it. `runWindow` keeps W messages in flight: whenever the slowest subscriber advances, as many are
 * published as it advanced by. This is the same for all servers, asks nothing of their acknowledgements, and
 * makes loss visible: a lost message stops the run.
 *
 * **Pace.** `runPaced` publishes at a fixed rate, and a latency counts from the moment at which the message
 * was *due*, not from when the load got round to it: a stall is charged to all the messages it delayed
 * (no coordinated omission).
 */
import { LatencyHistogram } from '../harness/latency-histogram.js';
import { readCpuMs } from '../harness/resource-use.js';
import type { Address } from '../harness/server-process.js';
import { checkPayload } from '../ways/stream/payload.js';
import { publishBatch } from '../ways/stream/publish-batch.js';
import { SkimSocket } from '../ways/stream/skim-socket.js';
import type { PublishFrame, Wire } from '../ways/way.js';

const CONNECTS_AT_ONCE = 50;
const DRAIN_TIMEOUT_MS = 10_000;
const WARM_UP_SHARE = 0.25;

/** What passed while a run was measured. */
interface Passed {
  readonly deliveries: number;
  readonly elapsedMs: number;
  /** CPU time of the server; undefined where the system does not say. */
  readonly serverCpuMs: number | undefined;
  /** CPU time of this process, which publishes and receives. */
  readonly loadCpuMs: number;
}

/** What a run with a window found. */
export interface WindowResult extends Passed {
  readonly lost: number;
}

/** What a run at a fixed rate found. */
export interface PacedResult extends Passed {
  /** An encoded {@link LatencyHistogram}. */
  readonly latency: string;
  readonly published: number;
  readonly lost: number;
}

/** Options of {@link Audience.connect}. */
export interface AudienceOptions {
  readonly wire: Wire;
  readonly address: Address;
  readonly serverPid: number;
  readonly members: number;
  /** Look at every byte that arrives. */
  readonly verify: boolean;
}

/** A connected publisher with its subscribers. */
export class Audience {
  readonly #serverPid: number;
  readonly #publisher: SkimSocket;
  readonly #frame: PublishFrame;
  readonly #subscribers: readonly SkimSocket[];
  /** Messages received so far, by subscriber. */
  readonly #received: Float64Array;
  #receivedInAll = 0;
  #published = 0;
  #slowest = 0;
  #failure: Error | undefined;
  /** Called with the subscriber that has just received. */
  #onReceived: (index: number) => void = () => {};

  private constructor(
    serverPid: number,
    publisher: SkimSocket,
    frame: PublishFrame,
    subscribers: readonly SkimSocket[],
  ) {
    this.#serverPid = serverPid;
    this.#publisher = publisher;
    this.#frame = frame;
    this.#subscribers = subscribers;
    this.#received = new Float64Array(subscribers.length);
  }

  /** Connects everybody, a few at a time. */
  static async connect(options: AudienceOptions): Promise<Audience> {
    const { wire, address, members, verify } = options;
    const subscribers = await openMany(address, members, (socket, index) => wire.subscribe(socket, index));
    const publisher = await SkimSocket.open(address);
    const frame = await wire.enter(publisher);
    const audience = new Audience(options.serverPid, publisher, frame, subscribers);
    audience.#listen(wire, verify);
    return audience;
  }

  /**
   * Keeps `window` messages in flight for `durationMs`, after a warm-up of a quarter of that.
   *
   * @throws Error when a byte is wrong, a connection is lost, or the server takes fewer messages at once
   */
  async runWindow(window: number, durationMs: number): Promise<WindowResult> {
    const maxInFlight = this.#frame.maxInFlight ?? Number.POSITIVE_INFINITY;
    if (window > maxInFlight) {
      throw new Error(
        `a window of ${window} exceeds the ${maxInFlight} unacknowledged that the server takes`,
      );
    }
    const before = this.#published;
    const lastWanted = this.#received.length * before;
    if (this.#receivedInAll !== lastWanted) throw new Error('the run before has not drained');
    let open = true;
    let floor = before;
    this.#slowest = 0;
    this.#onReceived = (index) => {
      if (index !== this.#slowest || !open) return;
      const slowest = this.#findSlowest();
      if (slowest === floor) return;
      this.#publish(slowest - floor);
      floor = slowest;
    };
    this.#publish(window);
    await this.#pass(durationMs * WARM_UP_SHARE);
    const passed = this.#watch();
    await this.#pass(durationMs);
    const result = passed();
    open = false;
    return { ...result, lost: await this.#drain() };
  }

  /** Publishes `ratePerSecond` messages a second for `durationMs`, evenly. */
  async runPaced(ratePerSecond: number, durationMs: number): Promise<PacedResult> {
    const before = this.#published;
    const count = Math.max(1, Math.round((ratePerSecond * durationMs) / 1000));
    const dueAt = new Float64Array(count);
    const samples = new Float64Array(count * this.#received.length);
    const seen = new Float64Array(this.#received.length).fill(before);
    let sampleCount = 0;
    this.#onReceived = (index) => {
      const now = performance.now();
      const received = this.#received[index]!;
      for (let number = seen[index]!; number < received; number++) {
        samples[sampleCount++] = now - dueAt[number - before]!;
      }
      seen[index] = received;
    };
    const passed = this.#watch();
    const intervalMs = 1000 / ratePerSecond;
    const firstAt = performance.now() + intervalMs;
    for (let i = 0; i < count; i++) {
      dueAt[i] = firstAt + i * intervalMs;
      await sleepUntil(dueAt[i]!);
      this.#publish(1);
      if (this.#failure) throw this.#failure;
    }
    const result = passed();
    const lost = await this.#drain();
    const latency = new LatencyHistogram();
    for (let i = 0; i < sampleCount; i++) latency.record(samples[i]! * 1e6);
    return { ...result, latency: latency.encode(), published: count, lost };
  }

  /** Pauses one subscriber for a while again and again, for runs that check bytes. */
  stall(index: number, pauseMs: number): () => void {
    const subscriber = this.#subscribers[index]!;
    let paused = false;
    const timer = setInterval(() => {
      paused = !paused;
      if (paused) subscriber.pause();
      else subscriber.resume();
    }, pauseMs);
    return () => {
      clearInterval(timer);
      subscriber.resume();
    };
  }

  close(): void {
    for (const socket of this.#subscribers) socket.close();
    this.#publisher.close();
  }

  #listen(wire: Wire, verify: boolean): void {
    for (const [index, socket] of this.#subscribers.entries()) {
      let expected = 0;
      const check = (bytes: Uint8Array, start: number, end: number): void => {
        expected++;
        const number = checkPayload(bytes, start, end);
        if (number !== expected) {
          throw new Error(`subscriber ${index} got message ${number} instead of ${expected}`);
        }
      };
      const scanner = wire.scanner(socket, verify ? check : undefined);
      this.#guard(socket, (bytes, length) => {
        const messages = scanner.scan(bytes, 0, length);
        if (messages === 0) return;
        this.#received[index]! += messages;
        this.#receivedInAll += messages;
        this.#onReceived(index);
      });
    }
    const scanner = wire.scanner(this.#publisher);
    this.#guard(this.#publisher, (bytes, length) => {
      scanner.scan(bytes, 0, length);
    });
  }

  #guard(socket: SkimSocket, listener: (bytes: Uint8Array, length: number) => void): void {
    socket.onLost((error) => {
      this.#failure ??= error;
    });
    socket.listen((bytes, length) => {
      try {
        listener(bytes, length);
      } catch (error) {
        this.#failure ??= error as Error;
      }
    });
  }

  #publish(count: number): void {
    this.#publisher.write(publishBatch(this.#frame, this.#published + 1, count));
    this.#published += count;
  }

  /** Also remembers who it is, so that only that subscriber's next receipt looks again. */
  #findSlowest(): number {
    let slowest = 0;
    for (let i = 1; i < this.#received.length; i++) {
      if (this.#received[i]! < this.#received[slowest]!) slowest = i;
    }
    this.#slowest = slowest;
    return this.#received[slowest]!;
  }

  /** @returns what tells how much has passed since this call */
  #watch(): () => Passed {
    const begin = performance.now();
    const receivedBefore = this.#receivedInAll;
    const serverBefore = readCpuMs(this.#serverPid);
    const loadBefore = process.cpuUsage();
    return () => {
      const serverCpuMs = readCpuMs(this.#serverPid);
      const load = process.cpuUsage(loadBefore);
      return {
        deliveries: this.#receivedInAll - receivedBefore,
        elapsedMs: performance.now() - begin,
        serverCpuMs:
          serverCpuMs === undefined || serverBefore === undefined ? undefined : serverCpuMs - serverBefore,
        loadCpuMs: (load.user + load.system) / 1000,
      };
    };
  }

  /** @returns how many deliveries never came */
  async #drain(): Promise<number> {
    const wanted = this.#received.length * this.#published;
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    while (this.#receivedInAll < wanted && performance.now() < deadline) await this.#pass(2);
    this.#onReceived = () => {};
    return wanted - this.#receivedInAll;
  }

  async #pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#failure) throw this.#failure;
  }
}

/** Opens connections, a few at a time, each of which `enter`s. */
export async function openMany(
  address: Address,
  count: number,
  enter: (socket: SkimSocket, index: number) => Promise<void>,
): Promise<SkimSocket[]> {
  const sockets: SkimSocket[] = [];
  for (let first = 0; first < count; first += CONNECTS_AT_ONCE) {
    const group = Array.from({ length: Math.min(CONNECTS_AT_ONCE, count - first) }, async (_, i) => {
      const socket = await SkimSocket.open(address);
      await enter(socket, first + i);
      return socket;
    });
    sockets.push(...(await Promise.all(group)));
  }
  return sockets;
}

/** Sleeps to the last two milliseconds, and turns the event loop for the rest: timers are too coarse. */
async function sleepUntil(at: number): Promise<void> {
  const restMs = at - performance.now();
  if (restMs > 2) await new Promise((resolve) => setTimeout(resolve, restMs - 2));
  while (performance.now() < at) await new Promise((resolve) => setImmediate(resolve));
}
