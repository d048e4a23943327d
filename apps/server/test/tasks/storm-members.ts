/**
 * Two ordinary members who talk while the storm rages, in a process of their own: one with the client library, one
 * with a bare socket, as `nc` would. Each checks that all that the other said arrives, in order and once.
 *
 * Says `ready` to its parent, talks until it is told to stop, and then says what it found.
 */
import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChatClient, connect } from '@chat/client';

/** What one member found about the other. */
export interface Heard {
  /** Messages that the other one said. */
  readonly said: number;
  /** Messages that arrived, in order, from the first to this one. */
  readonly inOrder: number;
  /** Messages that arrived out of order, twice, or not from the one expected. */
  readonly wrong: number;
  /** The longest that one took from being said to being heard. */
  readonly slowestMs: number;
  readonly medianMs: number;
}

/** What the members report in the end. */
export interface MembersReport {
  /** What the one with the socket heard. */
  readonly bySocket: Heard;
  /** What the one with the library heard. */
  readonly byClient: Heard;
  /** Reconnects and gaps that the library saw: there should be none. */
  readonly interruptions: number;
}

const PAUSE_MS = 20;
const LAST_WORDS_MS = 20_000;

/** One direction: what was said, and what of it came. */
class Ear {
  readonly #saidAt: number[] = [];
  readonly #tookMs: number[] = [];
  #inOrder = 0;
  #wrong = 0;

  /** The next thing to say. */
  next(): string {
    this.#saidAt.push(performance.now());
    return `number ${this.#saidAt.length}`;
  }

  hear(text: string): void {
    if (text !== `number ${this.#inOrder + 1}`) {
      this.#wrong++;
      return;
    }
    this.#tookMs.push(performance.now() - this.#saidAt[this.#inOrder]!);
    this.#inOrder++;
  }

  get isComplete(): boolean {
    return this.#inOrder === this.#saidAt.length;
  }

  report(): Heard {
    const sorted = this.#tookMs.toSorted((left, right) => left - right);
    return {
      said: this.#saidAt.length,
      inOrder: this.#inOrder,
      wrong: this.#wrong,
      slowestMs: sorted.at(-1) ?? 0,
      medianMs: sorted[sorted.length >> 1] ?? 0,
    };
  }
}

async function talk(port: number): Promise<void> {
  const [socketEar, clientEar] = [new Ear(), new Ear()];
  let interruptions = 0;

  const ada: ChatClient = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
  ada.on('state', () => interruptions++);
  const room = await ada.join('lobby');
  room.on('gap', () => interruptions++);
  const bob = connectSocket(port, '127.0.0.1');
  const isThere = new Promise<void>((resolve) => {
    room.on('message', ({ sender, value }) => {
      if (sender.name !== 'bob') return;
      if (value === 'here') resolve();
      else clientEar.hear(String(value));
    });
  });
  let unread = '';
  bob.setEncoding('utf8').on('data', (text) => {
    const lines = (unread + text).split('\n');
    unread = lines.pop()!;
    for (const line of lines) if (line.startsWith('ada: ')) socketEar.hear(line.slice('ada: '.length));
  });
  bob.write('bob\nhere\n');
  await isThere;

  // Whoever started them is gone.
  process.once('disconnect', () => process.exit());
  let talking = true;
  process.once('message', () => {
    talking = false;
  });
  process.send!('ready');
  while (talking) {
    void room.send(socketEar.next());
    bob.write(`${clientEar.next()}\n`);
    await delay(PAUSE_MS);
  }
  const deadline = performance.now() + LAST_WORDS_MS;
  while (!(socketEar.isComplete && clientEar.isComplete) && performance.now() < deadline)
    await delay(PAUSE_MS);
  const report: MembersReport = {
    bySocket: socketEar.report(),
    byClient: clientEar.report(),
    interruptions,
  };
  process.send!(report);
  bob.destroy();
  await ada.close();
  process.disconnect();
}

if (process.send) await talk(Number(process.argv[2]));
