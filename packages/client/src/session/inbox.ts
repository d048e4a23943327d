/**
 * The direct messages of a client: a stream of entries like that of a room, which goes on over all its
 * connections.
 */
import type { Codec } from '@chat/protocol';
import type { ClientEvents } from '../chat-client.js';
import type { Listeners } from '../events/listeners.js';
import type { Identity, Notice } from '../rooms/entry.js';
import { EntryStream, type StreamItem, type StreamOwner } from '../rooms/entry-stream.js';

export class Inbox<D> implements StreamOwner<D> {
  readonly #identity: Identity;
  readonly #codec: Codec<D>;
  readonly #listeners: Listeners<ClientEvents<D>>;
  readonly #onNotice: (notice: Notice) => void;
  stream: EntryStream<D>;

  constructor(
    identity: Identity,
    codec: Codec<D>,
    listeners: Listeners<ClientEvents<D>>,
    onNotice: (notice: Notice) => void,
  ) {
    this.#identity = identity;
    this.#codec = codec;
    this.#listeners = listeners;
    this.#onNotice = onNotice;
    this.stream = this.#begin();
  }

  /** The client is closed: the next session has nothing to do with this one. */
  reset(): void {
    this.stream = this.#begin();
  }

  isListening(): boolean {
    return this.#listeners.count > 0;
  }

  onItem(item: StreamItem<D>): void {
    if (item.type !== 'message' && item.type !== 'notice') this.#listeners.emit(item.type, item as never);
  }

  onNotice(notice: Notice): void {
    this.#onNotice(notice);
  }

  #begin(): EntryStream<D> {
    const [identity, codec] = [this.#identity, this.#codec];
    return new EntryStream({ identity, room: undefined, codec, echo: true }, this);
  }
}
