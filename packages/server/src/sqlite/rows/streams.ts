/**
 * What an entry belongs to, as the file names it. The key of an inbox begins with a zero byte, which not every library
 * carries within a text.
 */
import type { BlockEntry } from '../../log/block.js';
import { CLAIM, inboxKey, inboxMember } from '../../log/entry.js';

/** Key of the stream for what nobody is shown. */
export const CLAIMS_KEY = '';

/** Key of the stream that an entry belongs to: the room's, unless nobody is shown it there. */
export function streamKeyOf({ type, isVoid, room }: BlockEntry): string {
  return isVoid || type === CLAIM ? CLAIMS_KEY : room;
}

/** How a stream stands in the file. */
export interface StreamName {
  readonly kind: 'room' | 'inbox' | 'claims';
  readonly name: string;
}

/** The name in the file of the stream with the key that entries carry. */
export function streamName(key: string): StreamName {
  if (key === CLAIMS_KEY) return { kind: 'claims', name: '' };
  const member = inboxMember(key);
  return member === undefined ? { kind: 'room', name: key } : { kind: 'inbox', name: String(member) };
}

/** The key that entries carry. */
export function streamKey({ kind, name }: StreamName): string {
  return kind === 'inbox' ? inboxKey(Number(name)) : name;
}
