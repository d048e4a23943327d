/** A stranger who wants the names of others, above all while they are away: it must not get one. */
import { ClientError, createChatClient } from '@chat/client';
import type { Ledger } from '../truth/ledger.js';

export class Impostor {
  readonly #url: string;
  readonly #ledger: Ledger;
  tries = 0;
  /** Tries that a server answered. */
  refused = 0;

  constructor(url: string, ledger: Ledger) {
    this.#url = url;
    this.#ledger = ledger;
  }

  /** Asks for a name whose owner has not left. */
  async tryToBe(name: string): Promise<void> {
    this.tries++;
    const client = createChatClient(this.#url, {
      name,
      reconnect: { enabled: false },
      connectTimeoutMs: 5000,
    });
    try {
      await client.connect();
      this.#ledger.offend('name', `a stranger came in as ${name}, and is member ${client.id}`);
    } catch (error) {
      if (ClientError.is(error) && error.code === 'ERR_CLIENT_NAME_TAKEN') this.refused++;
    }
    await client.close();
  }
}
