/**
 * Our line dialect, as `nc` speaks it: the first line is the name, the lobby is joined at once. Used to weigh
 * idle connections; it has no scanner, since its reader is a person.
 */
import type { SkimSocket } from '../skim-socket.js';
import type { Wire } from '../wire.js';

const NEWLINE = 0x0a;

/** Enters and stays silent. */
export function lineWire(): Wire {
  const enter = async (socket: SkimSocket, index: number): Promise<void> => {
    socket.write(`line${index}\n`);
    await socket.read((bytes) => {
      const newline = bytes.indexOf(NEWLINE);
      return newline === -1 ? undefined : newline + 1;
    });
  };
  return {
    subscribe: enter,
    idle: enter,
    enter: () => Promise.reject(new Error('nothing is published in the line dialect here')),
    scanner: () => ({ scan: () => 0 }),
  };
}
