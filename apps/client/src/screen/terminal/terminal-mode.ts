/**
 * The terminal as the full screen needs it, and back: whatever way the program ends, short of SIGKILL, the
 * shell gets its screen, its cursor and its line ends again.
 */
import { writeSync } from 'node:fs';
import type { WriteStream } from 'node:tty';

// Alternate screen; no wrapping, so that a character of another width than expected cannot move the rows
// below it; pasted text in brackets.
const ENTER = '\u001B[?1049h\u001B[?7l\u001B[?2004h\u001B[2J\u001B[H';
const LEAVE = '\u001B[?2026l\u001B[0m\u001B[?2004l\u001B[?7h\u001B[?25h\u001B[?1049l';

export class TerminalMode {
  readonly #output: WriteStream;
  #entered = false;
  readonly #leaveAtExit = (): void => this.leave();

  constructor(output: WriteStream) {
    this.#output = output;
  }

  enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    process.on('exit', this.#leaveAtExit);
    this.#output.write(ENTER);
  }

  /** Synchronous, since at the end of a process nothing else is written. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    process.off('exit', this.#leaveAtExit);
    try {
      writeSync(process.stdout.fd, LEAVE);
    } catch {
      // The terminal is gone, or full: then nobody sees it either.
    }
  }
}
