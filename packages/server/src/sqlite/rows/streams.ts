/**
 * What an entry belongs to, as the file names it. The key of an inbox begins with a zero byte, which not every library
 * carries within a text.
 */
import { inboxKey, inboxMember } from '../../log/event-log.js';

/** How a stream stands in the file. */
export interface StreamName {
  readonly kind: 'room' | 'inbox' | 'claims';
  readonly name: string;
}

/** The name in the file of the stream with the key that entries carry. */
export function streamName(key: string): StreamName {
  if (key === '') return { kind: 'claims', name: '' };
  const member = inboxMember(key);
  return member === undefined ? { kind: 'room', name: key } : { kind: 'inbox', name: String(member) };
}

/** The key that entries carry. */
export function streamKey({ kind, name }: StreamName): string {
  return kind === 'inbox' ? inboxKey(Number(name)) : name;
}
