/**
 * Direct messages to this client: a stream without members, which begins anew with every session.
 */
import type { Codec } from '@chat/protocol';
import type { DirectMessage, Identity } from './entry.js';
import { EntryStream, type StreamItem } from './entry-stream.js';
import type { Stream, StreamOptions } from './event-queue.js';

/** Who hears of direct messages. */
export interface InboxOwner<D> {
  isListening(): boolean;
  onItem(item: StreamItem<D>): void;
}

export class Inbox<D> {
  readonly #make: () => EntryStream<D>;
  #stream: EntryStream<D>;
  #epoch: string | undefined;

  constructor(identity: Identity, codec: Codec<D>, owner: InboxOwner<D>) {
    const whole = {
      isListening: () => owner.isListening(),
      onItem: (item: StreamItem<D>) => owner.onItem(item),
      onNotice: () => {},
    };
    this.#make = () => new EntryStream<D>({ identity, room: undefined, codec, echo: true }, whole);
    this.#stream = this.#make();
  }

  get stream(): EntryStream<D> {
    return this.#stream;
  }

  /** Takes the place that the session, old or new, has in the log; tells a gap where something may be missing. */
  comeBack(start: number, epoch: string, resumed: boolean): void {
    const { position } = this.#stream;
    if (this.#epoch === undefined) this.#stream.position = start;
    else if (this.#epoch !== epoch) this.#stream.gap('epoch-changed', position, start);
    else if (!resumed) this.#stream.gap('session-lost', position, start);
    else if (start > position) this.#stream.gap('expired', position, start);
    this.#epoch = epoch;
  }

  subscribe(options: StreamOptions): Stream<DirectMessage<D>> {
    return this.#stream.subscribe('direct', options) as Stream<StreamItem<D>> as Stream<DirectMessage<D>>;
  }

  /** Ends all iterators, cleanly or with `error`, and begins anew. */
  end(error: unknown): void {
    this.#stream.end(error);
    this.#stream = this.#make();
    this.#epoch = undefined;
  }
}
