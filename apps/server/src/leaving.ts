/**
 * Going away: the first signal drains, the second one cuts. A request of an operator drains as a signal does.
 */
import type { ChatServer, DrainOptions, Logger } from '@chat/server';

export class Leaving {
  readonly #server: ChatServer;
  readonly #logger: Logger;
  readonly #exit: () => Promise<never>;
  readonly #cut = new AbortController();
  #isLeaving = false;

  /** @param exit ends the process, when all that there is to say has been said */
  constructor(server: ChatServer, logger: Logger, exit: () => Promise<never>) {
    this.#server = server;
    this.#logger = logger;
    this.#exit = exit;
  }

  /** Goes away for a signal; the second time it does not wait. */
  signalled(signal: NodeJS.Signals): void {
    if (this.#isLeaving) {
      this.#logger.warn({ signal }, 'cutting the connections that are left');
      this.#cut.abort();
      return;
    }
    this.#logger.info({ signal }, 'going away; the same signal again cuts');
    void this.#leave({});
  }

  /** Goes away because an operator said so. */
  asked(options: DrainOptions): void {
    if (this.#isLeaving) return;
    this.#logger.info({}, 'going away: an operator asked for it');
    void this.#leave(options);
  }

  async #leave(options: DrainOptions): Promise<void> {
    this.#isLeaving = true;
    const result = await this.#server.drain({ ...options, signal: this.#cut.signal });
    this.#logger.info(result, 'gone');
    await this.#exit();
  }
}
