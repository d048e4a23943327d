/**
 * Going away: the first signal drains, the second one cuts. An operator, or the supervisor of workers, asks for the same.
 */
import type { ChatServer, DrainOptions, Logger } from '@chat/server';

export class Leaving {
  readonly #server: ChatServer;
  readonly #logger: Logger;
  readonly #exit: () => Promise<never>;
  readonly #cut = new AbortController();
  #hasBegun = false;

  /** @param exit ends the process, when all that there is to say has been said */
  constructor(server: ChatServer, logger: Logger, exit: () => Promise<never>) {
    this.#server = server;
    this.#logger = logger;
    this.#exit = exit;
  }

  /** Goes away for a signal; the second time it does not wait. */
  signalled(signal: NodeJS.Signals): void {
    if (!this.#hasBegun) {
      void this.leave(signal);
      return;
    }
    this.#logger.warn({ signal }, 'cutting the connections that are left');
    this.cut();
  }

  /** Drains, once, and ends the process. */
  async leave(why: string, options: DrainOptions = {}): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#logger.info({ signal: why }, 'going away; the same signal again cuts');
    const result = await this.#server.drain({ ...options, signal: this.#cut.signal });
    this.#logger.info(result, 'gone');
    await this.#exit();
  }

  /** Cuts the connections that are left. */
  cut(): void {
    this.#cut.abort();
  }
}
