/**
 * Our line dialect, as `nc` speaks it: the first line is the name, the lobby is joined at once. Used to weigh
 * idle connections; it has no scanner, since its reader is a person.
 */
import type { SkimSocket } from '../skim-socket.js';
import type { Wire } from '../wire.js';

/** Enters and stays silent. Nothing is awaited: who enters last hears of nobody, not even of itself. */
export function lineWire(): Wire {
  const enter = async (socket: SkimSocket, index: number): Promise<void> => {
    socket.write(`line${index}\n`);
  };
  return {
    subscribe: enter,
    idle: enter,
    enter: () => Promise.reject(new Error('nothing is published in the line dialect here')),
    scanner: () => ({ scan: () => 0 }),
  };
}
