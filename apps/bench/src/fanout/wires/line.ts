/**
 * Our line dialect, as `nc` speaks it: the first line is the name, the lobby is joined at once. Used to weigh
 * idle connections; it has no scanner, since its reader is a person.
 */
import type { Address } from '../../process/server-process.js';
import { SkimSocket } from '../skim-socket.js';
import type { Wire } from '../wire.js';

const PROBE = 'is everybody in?';

/** Enters and stays silent. Nothing is awaited: who enters last hears of nobody, not even of itself. */
export function lineWire(): Wire {
  const enter = async (socket: SkimSocket, index: number): Promise<void> => {
    socket.write(`line${index}\n`);
  };
  return {
    subscribe: enter,
    idle: enter,
    async settled(address: Address) {
      // One who listens and one who speaks, behind all the others: what they exchange comes after them.
      const listening = await SkimSocket.open(address);
      listening.write('listening\n');
      const speaking = await SkimSocket.open(address);
      speaking.write('speaking\n');
      let heard = '';
      const decoder = new TextDecoder();
      await Promise.all([
        listening.read((bytes) => {
          heard = decoder.decode(bytes);
          return heard.includes(PROBE) ? bytes.length : undefined;
        }),
        (async () => {
          // Not before the listener is a member, or it would not hear it.
          while (!heard.includes('speaking has joined'))
            await new Promise((resolve) => setTimeout(resolve, 10));
          speaking.write(`${PROBE}\n`);
        })(),
      ]);
      listening.close();
      speaking.close();
    },
    enter: () => Promise.reject(new Error('nothing is published in the line dialect here')),
    scanner: () => ({ scan: () => 0 }),
  };
}
