/**
 * The client's side of `listen` and `connect`: a channel that a server takes, see `meeting-place.ts`.
 *
 * A server that died is replaced by whoever listens next; its clients see `peer-died`, and connect again.
 */
import { type Channel, openChannel } from '../channel/channel.js';
import { ShmError } from '../errors.js';
import { Handle } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { add, store } from '../platform/atomics.js';
import type { RecordOptions } from '../record/options.js';
import { NOTIFIED_WAITS_WORD, NOTIFIED_WORD, slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { WaitOptions } from '../waiting/waiting.js';
import { channelName, giveNameUp, openMeetingPlace, SLOT_ATTEMPT, SLOT_WAITS } from './meeting-place.js';

/** Options of {@link connect}. */
export interface ConnectOptions<T = Uint8Array>
  extends WaitOptions,
    Pick<RecordOptions<T>, 'directory' | 'capacityBytes' | 'codec'> {
  /**
   * How long to wait for a server that takes the connection, one that comes later included.
   * @defaultValue 10000
   */
  readonly timeoutMs?: number;
  /**
   * Whether the open connection keeps the process alive, as a socket does.
   * @defaultValue true
   */
  readonly keepAlive?: boolean;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Connects to the server that listens under `name`, or waits for one.
 *
 * @throws {@link ShmError} `ERR_SHM_CONNECT_TIMEOUT`; the reason of `signal`; and as every opener.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { connect, listen, textCodec } from '@chat/shm';
 *
 * const server = listen('greetings', { codec: textCodec });
 * server.on('connection', (client) => void client.send('welcome'));
 *
 * const connection = await connect('greetings', { codec: textCodec, timeoutMs: 5000 });
 * assert.equal(await connection.receive(), 'welcome');
 * connection.close();
 * server.closeAndRemoveIfLast();
 * ```
 */
export async function connect<T = Uint8Array>(
  name: string,
  options: ConnectOptions<T> = {},
): Promise<Channel<T>> {
  assertOptions(options, 'connect');
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    keepAlive = true,
    capacityBytes,
    codec,
    directory,
    signal,
  } = options;
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
  signal?.throwIfAborted();
  const place = { ...(directory !== undefined && { directory }) };
  const segment = openMeetingPlace(name, place);
  const point = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
  const waiter = new Knock(segment);
  const patience = AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1));
  const stop = signal === undefined ? patience : AbortSignal.any([signal, patience]);
  const { words, participant } = segment;
  const slot = slotWord(participant.slot);
  let channel: Channel<T> | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      channel = openChannel<T>(channelName(segment, participant.token, attempt), {
        ...place,
        side: 'b',
        mode: 'create',
        ...(capacityBytes !== undefined && { capacityBytes }),
        ...(codec !== undefined && { codec }),
      });
      channel.ref();
      const met = meeting(channel, stop);
      store(words, slot + SLOT_ATTEMPT, attempt);
      // publish: "I wait", after the channel was made. pairs with: Server.#take
      store(words, slot + SLOT_WAITS, participant.token);
      add(words, NOTIFIED_WORD, 1);
      waiter.knock(point);
      if (await met) {
        giveNameUp(channel);
        return keepAlive ? channel : channel.unref();
      }
      // A server died over this channel, or left; the next one may not find its name any more.
      store(words, slot + SLOT_WAITS, 0);
      channel.closeAndRemoveIfLast();
    }
  } catch (error) {
    channel?.closeAndRemoveIfLast();
    signal?.throwIfAborted();
    if (!patience.aborted) throw error;
    throw new ShmError(
      'ERR_SHM_CONNECT_TIMEOUT',
      `no server of ${name} took the connection within ${timeoutMs} ms`,
    );
  } finally {
    waiter.close();
  }
}

/** Waits for somebody on the other side. False when it was gone before it was seen. @throws the reason of `signal` */
function meeting<T>(channel: Channel<T>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    channel.once('peer-attached', () => resolve(true));
    channel.once('peer-left', () => resolve(false)).once('peer-died', () => resolve(false));
  });
}

/** A client's handle on the meeting place: for as long as it waits. */
class Knock extends Handle {
  constructor(segment: Segment) {
    super(segment, 'connection');
  }

  knock(point: WaitPoint): void {
    this.waiting.signal(point);
  }
}
