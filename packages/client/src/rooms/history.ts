/**
 * Pages of the log of a room, as entries. A gap stands where the log no longer holds what was asked for.
 */
import type { Asking } from '../sending/requests.js';
import type { Gap, RoomEntry } from './entry.js';
import type { HistoryOptions, HistoryPage } from './room.js';

/** The stream of the room whose history is asked for. */
export interface HistorySource<T> {
  readonly room: string | undefined;
  /** Last entry that has arrived in the room. */
  readonly position: number;
  /** Reads whole entry frames. @throws ProtocolError when they are malformed */
  readHistory(bytes: Uint8Array, take: (entry: Exclude<RoomEntry<T>, Gap>) => void): void;
}

/** Asks for a page and reads it. */
export async function askForHistory<T>(
  { requests, assertKnown }: Asking,
  source: HistorySource<T>,
  { signal, ...range }: HistoryOptions,
): Promise<HistoryPage<T>> {
  assertKnown('before,after,limit', range);
  const { after } = range;
  const room = source.room!;
  const entries: RoomEntry<T>[] = [];
  const { end } = await requests.ask(
    { op: 'history', room, ...range },
    {
      signal,
      onAnswer: ({ chunks, end: isEnd }) => {
        let before = after;
        for (const chunk of chunks) {
          source.readHistory(chunk, (entry) => {
            if (before !== undefined && entry.prev > before) {
              // In front of the first, what lies between is no longer held.
              const reason = entries.length === 0 ? 'expired' : 'hole';
              entries.push({ type: 'gap', room, reason, from: before, to: entry.prev });
            }
            entries.push(entry);
            before = entry.seq;
          });
        }
        const { position } = source;
        if (after !== undefined && isEnd && entries.length === 0 && after < position) {
          // There was something, and nothing of it is held any more.
          entries.push({ type: 'gap', room, reason: 'expired', from: after, to: position });
        }
      },
    },
  );
  return { entries, end };
}
