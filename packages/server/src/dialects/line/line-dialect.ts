/** Lines of text, for `nc`, telnet and whatever a tutorial ends with. */
import { closeCodeInfo } from '@chat/protocol';
import { formatNoticeLine } from '@chat/protocol/lines';
import type { ConnectionContext } from '../../connection/context.js';
import type { Arrival, ConnectionRefusal, Dialect } from '../../connection/dialect.js';
import { type Link, SocketLink } from '../../connection/link.js';
import { LineCharset } from '../../options/line-charset.js';
import type { Room } from '../../room/room.js';
import type { LineContext } from './line-context.js';
import { LinePeer } from './line-peer.js';
import { LineView } from './line-view.js';

export class LineDialect implements Dialect {
  readonly #context: LineContext;

  constructor(context: ConnectionContext) {
    const { maxLineBytes, lineIdleMs, clock, lineCharset, maxLinesPerMessage } = context.options;
    const views = new WeakMap<Room, LineView>();
    this.#context = {
      ...context,
      reading: { maxLineBytes, lineIdleMs, clock, charset: new LineCharset(lineCharset) },
      viewOf: (room) => {
        let view = views.get(room);
        if (!view) {
          view = new LineView(maxLinesPerMessage);
          views.set(room, view);
        }
        return view;
      },
    };
  }

  accept({ socket, seen, firstBytes }: Arrival): void {
    const { connection } = this.open(new SocketLink(socket, this.#context.options.clock));
    // Keys that came one by one are handed over so: a line that begins with a single one is not ended by silence.
    connection.onBytes(seen.subarray(0, firstBytes));
    if (seen.length > firstBytes) connection.onBytes(seen.subarray(firstBytes));
    if (socket.readableEnded) connection.onEnd();
  }

  /** The peer at the other end of a link. */
  open(link: Link): LinePeer {
    return new LinePeer(this.#context, link);
  }

  refusal({ code, reason }: ConnectionRefusal): Uint8Array | string {
    return formatNoticeLine(`${reason} (${closeCodeInfo(code).name})`);
  }
}
