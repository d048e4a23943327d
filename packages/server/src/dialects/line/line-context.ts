/** The parts of a server that a peer of the line dialect works with. */
import type { ConnectionContext } from '../../connection/context.js';
import type { Room } from '../../room/room.js';
import type { LineReaderOptions } from './line-reader.js';
import type { LineView } from './line-view.js';

export interface LineContext extends ConnectionContext {
  /** How lines are read. */
  readonly reading: LineReaderOptions;
  /** The latest entries of a room as lines; made for the first that reads them so. */
  readonly viewOf: (room: Room) => LineView;
}
