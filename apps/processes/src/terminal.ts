/**
 * Keyboard and screen of a process: lines that are typed or piped in, and lines that are shown above the one being typed.
 */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';

/** What happens at the keyboard. */
export interface TerminalEvents {
  line(text: string): void;
  /** Ctrl-C, `/quit`, or nobody looks any more. */
  quit(): void;
  /** Standard input has ended, which a terminal says with Ctrl-D. */
  end(): void;
}

/** The terminal, or what stands in for it: a pipe, a file, nothing. */
export class Terminal {
  readonly isInteractive: boolean = process.stdin.isTTY === true;
  readonly #keyboard: Interface;
  #prompting = this.isInteractive;

  constructor(events: TerminalEvents) {
    this.#keyboard = createInterface({
      input: process.stdin,
      ...(this.isInteractive && { output: process.stdout }),
    });
    this.#keyboard.on('SIGINT', () => events.quit());
    this.#keyboard.on('close', () => events.end());
    this.#keyboard.on('line', (line) => {
      if (line.trim() === '/quit') events.quit();
      else if (line.trim() !== '') events.line(line);
    });
    process.stdout.on('error', () => events.quit());
  }

  /** Prints a line above the one that is being typed. Control characters could do anything to the terminal, and are not printed. */
  show(line: string): void {
    const text = line.replace(/\p{Cc}/gu, '·');
    if (!this.isInteractive) {
      process.stdout.write(`${text}\n`);
      return;
    }
    clearLine(process.stdout, 0);
    cursorTo(process.stdout, 0);
    process.stdout.write(`${text}\n`);
    if (this.#prompting) this.#keyboard.prompt(true);
  }

  /** Asks for nothing more; what is shown is still shown. */
  close(): void {
    this.#prompting = false;
    this.#keyboard.close();
    process.stdin.destroy();
  }
}
