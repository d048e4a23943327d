/**
 * The identity under which a client says its hellos. One that a store keeps is loaded for the first hello,
 * and given back when the client is closed. Any other lasts as long as the client.
 */
import type { Clock } from '../clock.js';
import { type IdentityStore, loadIdentity, makeIdentity, type Self } from './identity.js';

export class OwnIdentity {
  readonly #given: string | IdentityStore | undefined;
  readonly #clock: Clock;
  #self: Self | Promise<Self> | undefined;
  /** Resolved when the store may be asked again. */
  #released: Promise<unknown> = Promise.resolve();

  /** @param given - a secret, a store, or nothing: as the option `identity` */
  constructor(given: string | IdentityStore | undefined, clock: Clock) {
    this.#given = given;
    this.#clock = clock;
  }

  /** @throws ClientError (at once, or as a rejection) `ERR_CLIENT_IDENTITY`, `ERR_CLIENT_PLATFORM` */
  take(signal: AbortSignal): Self | Promise<Self> {
    this.#self ??= this.#begin(signal);
    return this.#self;
  }

  /** The client is closed. */
  release(): void {
    const self = this.#self;
    if (!(self instanceof Promise)) return;
    this.#self = undefined;
    this.#released = self.then(() => (this.#given as IdentityStore).release?.()).catch(() => {});
  }

  #begin(signal: AbortSignal): Self | Promise<Self> {
    const given = this.#given;
    if (typeof given !== 'object') return makeIdentity(given, this.#clock);
    const loading = this.#released.then(() => loadIdentity(given, signal));
    loading.catch(() => {
      // The next attempt asks the store again.
      if (this.#self === loading) this.#self = undefined;
    });
    return loading;
  }
}
