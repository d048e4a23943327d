/**
 * Tells when two names mean one room. It stands apart from the rules for names, which a client need not load.
 */

/** The form under which a room is found: NFKC and lower case. */
export function roomKey(room: string): string {
  return room.normalize('NFKC').toLowerCase();
}
