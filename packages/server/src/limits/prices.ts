/**
 * What input costs, as data. A unit that costs more work than a message, or less, has a price of its own; so the one
 * rate of messages bounds them all.
 */

/** Prices in messages. */
export const Price = {
  /** A message, a direct message, a signal, a line. */
  message: 1,
  /** A request, and what it does in one room. */
  request: 1,
  /** Each room that is told of a new name. */
  roomTold: 1,
  /** Each room that is described to a session which comes back. */
  roomDescribed: 0.25,
  /** What an answer copies out of the log, or says in JSON. */
  kibibyteAnswered: 0.0625,
  /** A search, beside being a request: it keeps a thread busy for a while. */
  search: 24,
  /** Each room that a list looks at. */
  roomLookedAt: 0.015625,
  /** What is streamed from the log from the position where a member joins or comes back. */
  kibibyteStreamed: 0.015625,
  /**
   * What carries nothing: a ping, a pong, a frame of an extension, an empty line, a control frame, a fragment or an
   * empty message of WebSocket.
   */
  trifle: 0.125,
  httpRequest: 4,
} as const;

/** What a unit costs beside its bytes, as so many bytes more. */
export const OverheadBytes = {
  /** What one read of a socket gives. */
  chunk: 192,
  webSocketFrame: 128,
} as const;

/** What a byte of input costs of a turn, in messages. */
export const TURN_PRICE_OF_BYTE: number = 1 / 8192;
/** What one connection may use of a turn of the event loop, in messages; the rest of a chunk waits for the next. */
export const CONNECTION_TURN = 256;
/** The same for all connections of one address together. */
export const ADDRESS_TURN = 1024;
