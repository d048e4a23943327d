/** A member that reads old history: pages of 100 at random positions, a few requests at a time on one connection. */
import { encodeRequest, FrameDecoder, FrameType } from '@chat/protocol/frames';
import { readCpuMs } from '../harness/resource-use.js';
import type { Address } from '../harness/server-process.js';
import { Conversation, plainCarrier } from '../ways/chat/frames.js';
import { SkimSocket } from '../ways/stream/skim-socket.js';

const PAGE_ENTRIES = 100;
const REQUESTS_AT_A_TIME = 8;
const WARM_UP_SHARE = 0.25;
const MAX_FRAME_BYTES = 1_048_576;

export interface PagesResult {
  readonly pages: number;
  readonly elapsedMs: number;
  /** CPU time of the server, all threads. */
  readonly serverCpuMs: number | undefined;
  /** Pages that had no entry: there must be none. */
  readonly empty: number;
}

export class PageReader {
  readonly #socket: SkimSocket;
  readonly #serverPid: number;
  readonly #room: string;
  readonly #decoder = new FrameDecoder({ maxFrameBytes: MAX_FRAME_BYTES });
  #isOpen = false;
  #requests = 0;
  #underway = 0;
  #pages = 0;
  #bytesOfPage = 0;
  #empty = 0;
  #newest = 0;
  #failure: Error | undefined;

  private constructor(socket: SkimSocket, serverPid: number, room: string) {
    this.#socket = socket;
    this.#serverPid = serverPid;
    this.#room = room;
  }

  static async connect(address: Address, serverPid: number, room: string): Promise<PageReader> {
    const socket = await SkimSocket.open(address);
    const conversation = new Conversation(socket, plainCarrier);
    await conversation.greet(`reader ${room}`);
    await conversation.join(room);
    const reader = new PageReader(socket, serverPid, room);
    socket.onLost((error) => {
      reader.#failure ??= error;
    });
    socket.listen((bytes, length) => reader.#take(bytes.slice(0, length)));
    return reader;
  }

  /** @param newest - positions are drawn between a tenth of it and this one */
  async run(newest: number, durationMs: number): Promise<PagesResult> {
    this.#newest = newest;
    this.#empty = 0;
    this.#isOpen = true;
    while (this.#underway < REQUESTS_AT_A_TIME) this.#ask();
    await this.#pass(durationMs * WARM_UP_SHARE);
    const [begin, before, cpuBefore] = [performance.now(), this.#pages, readCpuMs(this.#serverPid)];
    await this.#pass(durationMs);
    const cpuAfter = readCpuMs(this.#serverPid);
    this.#isOpen = false;
    return {
      pages: this.#pages - before,
      elapsedMs: performance.now() - begin,
      serverCpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
      empty: this.#empty,
    };
  }

  #ask(): void {
    this.#underway++;
    const before = Math.floor(this.#newest * (0.1 + 0.9 * Math.random()));
    const wish = { op: 'history', room: this.#room, before, limit: PAGE_ENTRIES } as const;
    this.#socket.write(encodeRequest(++this.#requests, wish));
  }

  #take(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    while (this.#decoder.next()) {
      const frame = this.#decoder.frame();
      if (frame.type === FrameType.Failed) this.#failure ??= new Error(`refused: ${frame.failure.message}`);
      if (frame.type !== FrameType.History) continue;
      this.#bytesOfPage += frame.entries.length;
      if (!frame.last) continue;
      this.#pages++;
      this.#underway--;
      if (this.#bytesOfPage === 0) this.#empty++;
      this.#bytesOfPage = 0;
      if (this.#isOpen) this.#ask();
    }
  }

  async #pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#failure) throw this.#failure;
  }
}
