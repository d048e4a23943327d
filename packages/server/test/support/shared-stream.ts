/** A stream of blocks in the heap, that any number of transports share: what processes do to each other, by hand. */
import type {
  BlockReceiver,
  BlockSnapshot,
  BlockTransport,
  OpenedStream,
} from '../../src/log/shared/block-transport.js';
import type { Seeded } from './seeded.js';

/** What a stream may do that is allowed, and unkind. */
export interface Mischief {
  readonly random: Seeded;
  /** Part of the blocks that come twice; some of the doubles come much later. */
  readonly doubled: number;
  /** Part of the blocks that are lost until they are sent again. */
  readonly lost: number;
}

export interface StreamTransportOptions {
  /** Begins behind this, instead of at the first block. */
  readonly snapshot?: () => BlockSnapshot;
  readonly gone?: readonly number[];
}

export class SharedStream {
  readonly epoch: string;
  readonly blocks: Uint8Array[] = [];
  readonly #mischief: Mischief | undefined;
  readonly #transports = new Set<StreamTransport>();
  /** Doubles that come later. */
  readonly #late: Uint8Array[] = [];

  constructor(mischief?: Mischief, epoch = 'stream') {
    this.#mischief = mischief;
    this.epoch = epoch;
  }

  transport(options: StreamTransportOptions = {}): StreamTransport {
    const transport: StreamTransport = new StreamTransport(this, options, () => {
      this.#transports.delete(transport);
    });
    this.#transports.add(transport);
    return transport;
  }

  /** A block comes from one of them. */
  take(from: StreamTransport, bytes: Uint8Array): void {
    const { random, doubled, lost } = this.#mischief ?? { doubled: 0, lost: 0 };
    if (random && random.next() < lost) {
      setImmediate(() => from.receiver?.resend());
      return;
    }
    this.#push(bytes);
    if (!random) return;
    if (random.next() < doubled) {
      if (random.next() < 0.5) this.#push(bytes);
      else this.#late.push(bytes);
    }
    if (this.#late.length > 0 && random.next() < 0.3) this.#push(this.#late.shift()!);
  }

  /** How many blocks a transport gets in one turn. */
  pace(): number {
    return this.#mischief ? this.#mischief.random.below(4) : Number.POSITIVE_INFINITY;
  }

  #push(bytes: Uint8Array): void {
    this.blocks.push(Uint8Array.from(bytes));
    for (const transport of this.#transports) transport.pump();
  }
}

/** One process's end of the stream. */
export class StreamTransport implements BlockTransport {
  receiver: BlockReceiver | undefined;
  /** What was to be sent while it was stopped. */
  readonly unsent: Uint8Array[] = [];
  readonly #stream: SharedStream;
  readonly #options: StreamTransportOptions;
  readonly #left: () => void;
  #next = 0;
  #isScheduled = false;
  #isStopped = false;

  constructor(stream: SharedStream, options: StreamTransportOptions, left: () => void) {
    this.#stream = stream;
    this.#options = options;
    this.#left = left;
  }

  async open(): Promise<OpenedStream> {
    const { snapshot, gone = [] } = this.#options;
    const known = snapshot && structuredClone(snapshot());
    this.#next = known?.position ?? 0;
    return { epoch: this.#stream.epoch, snapshot: known, gone };
  }

  start(receiver: BlockReceiver): void {
    this.receiver = receiver;
    this.pump();
  }

  send(block: Uint8Array): void {
    if (this.#isStopped) this.unsent.push(block);
    else this.#stream.take(this, block);
  }

  close(): void {
    this.kill();
  }

  /** As when its process is killed: it neither sends nor gets anything any more. */
  kill(): void {
    this.#isStopped = true;
    this.receiver = undefined;
    this.#left();
  }

  /** As when its process is stopped: nothing happens until it goes on. */
  stop(): void {
    this.#isStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    this.pump();
    this.receiver?.resend();
  }

  pump(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (let left = this.#stream.pace(); left > 0; left--) {
        if (this.#isStopped || !this.receiver || this.#next === this.#stream.blocks.length) break;
        const block = this.#stream.blocks[this.#next++]!;
        // Borrowed for the call: whoever keeps it has to notice.
        const bytes = Uint8Array.from(block);
        this.receiver.block(this.#next, bytes);
        bytes.fill(0xee);
      }
      if (this.receiver && this.#next < this.#stream.blocks.length) this.pump();
    });
  }
}
