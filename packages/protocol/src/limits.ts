/**
 * Bounds of the wire that both sides must agree on, and their defaults.
 *
 * The server announces its limits in `welcome`; a client that cannot take frames of that size closes.
 */

/** Largest whole frame, header included, when nothing else is said: 64 KiB. */
export const DEFAULT_MAX_FRAME_BYTES = 65_536;

/** A `maxFrameBytes` below this could not carry the handshake. */
export const MIN_MAX_FRAME_BYTES = 4096;

/** A `maxFrameBytes` above this is refused by encoder and decoder: 256 MiB. */
export const MAX_MAX_FRAME_BYTES = 268_435_456;

/** Longest user or room name in bytes of UTF-8. */
export const MAX_NAME_BYTES = 64;

/** Longest query of a search in bytes of UTF-8. */
export const MAX_QUERY_BYTES = 1024;

/** Longest line of the line dialect in bytes, when nothing else is said: 16 KiB. */
export const DEFAULT_MAX_LINE_BYTES = 16_384;

/** Lines that one message becomes in the line dialect, when nothing else is said. */
export const DEFAULT_MAX_LINES_PER_MESSAGE = 100;
