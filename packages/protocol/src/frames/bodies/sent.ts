/**
 * The body of a notice of kind Sent: a copy of a direct message, for the other sessions of its sender.
 *
 *     0       1       2      2+b
 *     +-------+-------+------+------
 *     | codec | b     | name | body
 *     +-------+-------+------+------
 *                       b B.   rest
 *
 * `name` is that of the receiver, codec and body are those of the message.
 */

const CODEC_OFFSET = 0;
const NAME_BYTES_OFFSET = 1;
const NAME_OFFSET = 2;

/** A direct message that was sent on another session of the user. */
export interface Sent {
  readonly codec: number;
  /** Name of the receiver in UTF-8. */
  readonly to: Uint8Array;
  readonly body: Uint8Array;
}

/** Encodes the body of a notice of kind Sent. @returns an owned array */
export function encodeSent({ codec, to, body }: Sent): Uint8Array {
  const bytes = new Uint8Array(NAME_OFFSET + to.length + body.length);
  bytes[CODEC_OFFSET] = codec;
  bytes[NAME_BYTES_OFFSET] = to.length;
  bytes.set(to, NAME_OFFSET);
  bytes.set(body, NAME_OFFSET + to.length);
  return bytes;
}

/** Reads the body of a notice of kind Sent; `to` and `body` are views into it. A body that is too short has less of both. */
export function readSent(bytes: Uint8Array): Sent {
  const end = NAME_OFFSET + (bytes[NAME_BYTES_OFFSET] ?? 0);
  return { codec: bytes[CODEC_OFFSET] ?? 0, to: bytes.subarray(NAME_OFFSET, end), body: bytes.subarray(end) };
}
