/**
 * Why a request or a publish was refused while the connection goes on.
 *
 * A failure is a value that travels in a frame; the client turns it into a rejected promise. What ends the
 * connection is a close code instead.
 */

/** Codes of a {@link Failure}. */
export const FailureCode = {
  RateLimited: 'rate-limited',
  TooLarge: 'too-large',
  /** A moderator has taken the word away from the sender, for `retryAfterMs`, or for good. */
  Muted: 'muted',
  NoSuchMessage: 'no-such-message',
  NotMember: 'not-member',
  NoSuchUser: 'no-such-user',
  /** The receiver of a direct message is away, and as many wait for it as may. */
  InboxFull: 'inbox-full',
  NoSuchRoom: 'no-such-room',
  NameTaken: 'name-taken',
  NameInvalid: 'name-invalid',
  RoomInvalid: 'room-invalid',
  RoomFull: 'room-full',
  TooManyRooms: 'too-many-rooms',
  Forbidden: 'forbidden',
  Rejected: 'rejected',
  OutOfOrder: 'out-of-order',
  BadRequest: 'bad-request',
  Draining: 'draining',
  /** What was said cannot be kept now, as when a disk is full; or what is asked for cannot be looked up. */
  Unavailable: 'unavailable',
  Internal: 'internal',
} as const;

/** One of the codes in {@link FailureCode}. */
export type FailureCode = (typeof FailureCode)[keyof typeof FailureCode];

/** A refusal: a code for programs, a sentence for people, and the numbers that a program may act upon. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** After how many milliseconds a second try makes sense. */
  readonly retryAfterMs?: number;
  /** The limit that was exceeded. */
  readonly max?: number;
  /** What was seen instead. */
  readonly actual?: number;
}
