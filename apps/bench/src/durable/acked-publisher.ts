/** One connection that keeps a number of publishes unacknowledged: whenever some are acknowledged, as many follow. */
import { readCpuMs } from '../harness/resource-use.js';
import type { Address } from '../harness/server-process.js';
import type { StoringWire } from '../ways/storing/storing.js';
import { publishBatch } from '../ways/stream/publish-batch.js';
import { SkimSocket } from '../ways/stream/skim-socket.js';
import type { PublishFrame } from '../ways/way.js';

const WARM_UP_SHARE = 0.25;
const DRAIN_TIMEOUT_MS = 10_000;

/** What passed while a run was measured. */
export interface AckedResult {
  readonly messages: number;
  readonly elapsedMs: number;
  /** CPU time of the server, all threads; undefined where the system does not say. */
  readonly serverCpuMs: number | undefined;
  /** Publishes that were never acknowledged. */
  readonly lost: number;
}

export class AckedPublisher {
  readonly #socket: SkimSocket;
  readonly #frame: PublishFrame;
  readonly #serverPid: number;
  #published = 0;
  #acknowledged = 0;
  #isOpen = false;
  #failure: Error | undefined;

  private constructor(socket: SkimSocket, frame: PublishFrame, serverPid: number) {
    this.#socket = socket;
    this.#frame = frame;
    this.#serverPid = serverPid;
  }

  static async connect(wire: StoringWire, address: Address, serverPid: number): Promise<AckedPublisher> {
    const socket = await SkimSocket.open(address);
    const publisher = new AckedPublisher(socket, await wire.enter(socket), serverPid);
    const scanner = wire.scanner(socket);
    socket.onLost((error) => {
      publisher.#failure ??= error;
    });
    socket.listen((bytes, length) => {
      try {
        publisher.#take(scanner.scan(bytes, 0, length));
      } catch (error) {
        publisher.#failure ??= error as Error;
      }
    });
    return publisher;
  }

  /**
   * Keeps `window` publishes unacknowledged for `durationMs`, after a warm-up of a quarter of that.
   *
   * @throws Error when one is refused, or the connection is lost
   */
  async run(window: number, durationMs: number): Promise<AckedResult> {
    this.#isOpen = true;
    this.#publish(window);
    await this.#pass(durationMs * WARM_UP_SHARE);
    const [begin, before, cpuBefore] = [performance.now(), this.#acknowledged, readCpuMs(this.#serverPid)];
    await this.#pass(durationMs);
    const cpuAfter = readCpuMs(this.#serverPid);
    const passed = {
      messages: this.#acknowledged - before,
      elapsedMs: performance.now() - begin,
      serverCpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
    };
    this.#isOpen = false;
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    while (this.#acknowledged < this.#published && performance.now() < deadline) await this.#pass(2);
    return { ...passed, lost: this.#published - this.#acknowledged };
  }

  #take(acknowledged: number): void {
    this.#acknowledged += acknowledged;
    if (this.#isOpen && acknowledged > 0) this.#publish(acknowledged);
  }

  #publish(count: number): void {
    this.#socket.write(publishBatch(this.#frame, this.#published + 1, count));
    this.#published += count;
  }

  async #pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#failure) throw this.#failure;
  }
}
