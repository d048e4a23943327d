/** Everything that stores, by name, since a name is all that can be told to another process. */
import { findProgram } from '../../harness/server-process.js';
import { chatDisk } from './chat-disk.js';
import { jetStream } from './jetstream.js';
import { redisStreams } from './redis-streams.js';
import type { Storing } from './storing.js';

const STORING: readonly Storing[] = [chatDisk, redisStreams, jetStream];

/** @throws RangeError when there is none */
export function storingOf(name: string): Storing {
  const storing = STORING.find((row) => row.name === name);
  if (!storing) throw new RangeError(`nothing that stores is called ${name}`);
  return storing;
}

/** Those that this machine has, ours first, and what is to be said of them and of the others. */
export function findStoring(): { readonly found: readonly Storing[]; readonly remarks: readonly string[] } {
  const isThere = ({ program }: Storing): boolean =>
    program === undefined || findProgram(program) !== undefined;
  const found = STORING.filter(isThere);
  return {
    found,
    remarks: [
      ...STORING.filter((row) => !isThere(row)).map(
        ({ name, program }) => `not compared with ${name}: no ${program} on the PATH`,
      ),
      ...found.flatMap(({ name, caveat }) => {
        const text = caveat?.();
        return text === undefined ? [] : [`${name} ${text}`];
      }),
    ],
  };
}
