/**
 * Somebody with a bare socket, as `nc` has it: says lines to the lobby and reads what others say. It has no
 * acknowledgements and no session: a line may be in the log or not, or the beginning of it, and after each lost connection it
 * comes in anew.
 */
import { connect, type Socket } from 'node:net';
import type { Decisions } from '../plan.js';
import type { TextView } from '../truth/ledger.js';
import type { Company } from './library-talker.js';

const LOBBY = 'lobby';
const RETRY_MS = 150;
const FILLER = 'y'.repeat(100);

export class LineTalker {
  readonly name: string;
  readonly #port: number;
  readonly #company: Company;
  readonly #decide: Decisions;
  #number = 0;
  #socket: Socket | undefined;
  /** What it is shown, once it knows that it is in: nobody says so, but others talk. */
  #view: TextView | undefined;
  #isGone = false;

  constructor(name: string, port: number, company: Company, decide: Decisions) {
    this.name = name;
    this.#port = port;
    this.#company = company;
    this.#decide = decide;
  }

  /** Comes in, and again after each loss, until `leave`. */
  enter(): void {
    const socket = connect(this.#port, '127.0.0.1', () => socket.write(`${this.name}\n`));
    this.#socket = socket;
    let rest = '';
    let view: TextView | undefined;
    const read = (line: string): void => {
      if (/^\*\*\* .*\((name-taken|unavailable|overloaded|going-away|internal)\)$/.test(line)) {
        socket.destroy();
        return;
      }
      view ??= this.#view = this.#company.ledger.textView(this.name, LOBBY);
      if (line === '*** some messages were missed') view.steps.push(undefined);
      else if (!line.startsWith('*** ')) view.steps.push(line);
    };
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (!socket.destroyed) read(line);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      if (view) {
        view.isOpen = this.#isGone;
        this.#company.onLost();
      }
      this.#view = undefined;
      if (!this.#isGone) setTimeout(() => !this.#isGone && this.enter(), RETRY_MS);
    });
  }

  /** Talks until it has left, `pauseMs` apart, in the mean. */
  async talk(pauseMs: number): Promise<void> {
    while (!this.#isGone) {
      await new Promise((resolve) => setTimeout(resolve, 2 * pauseMs * this.#decide.random()));
      if (this.#view && !this.#isSilent) this.#say();
    }
  }

  #isSilent = false;

  fallSilent(): void {
    this.#isSilent = true;
  }

  /** Whether it was shown these words since it came in. */
  hasSeen(words: string): boolean {
    return this.#view?.steps.includes(words) ?? false;
  }

  leave(): void {
    this.#isGone = true;
    this.#socket?.destroy();
  }

  #say(): void {
    const text = `${++this.#number} ${FILLER.slice(0, this.#decide.between(0, 100))}`;
    this.#company.ledger.say(this.name, LOBBY, text).outcome = {
      kind: 'unknown',
      code: 'lines have no answer',
    };
    this.#socket!.write(`${text}\n`);
  }
}
