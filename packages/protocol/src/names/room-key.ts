/**
 * When two names mean one room. Apart from the rules for names, which a client need not load.
 */

/** The form under which a room is found: NFKC and lower case. */
export function roomKey(room: string): string {
  return room.normalize('NFKC').toLowerCase();
}
