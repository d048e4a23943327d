/**
 * How a session is numbered: by its user, and by which of that user's sessions it is.
 *
 * A user is what others see: a name, one id in entries and lists of members, however many devices and tabs it is here
 * with. A guest is a user of one session. The first session of a user has the number of the user itself; the others
 * have a *device* above it, from bit 32 on. So an entry says with one number who it is of, and which session it is of,
 * and where there is but one session it is the number that it always was.
 */

const DEVICE = 0x1_0000_0000;

/** So many sessions a user may have beside its first: a record of a block has a byte for the device. */
export const MAX_DEVICE = 255;

/** The number of a session. */
export function sessionNumber(user: number, device: number): number {
  return device === 0 ? user : user + device * DEVICE;
}

/** The id of the user that a session is of. */
export function userOf(session: number): number {
  return session >>> 0;
}

/** Which session of its user it is; 0 for the first. */
export function deviceOf(session: number): number {
  return session < DEVICE ? 0 : Math.floor(session / DEVICE);
}
