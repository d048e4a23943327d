/**
 * Constants that both sides know before the first byte: the version, the port, the paths and the
 * subprotocol.
 */

/** The protocol version that this package speaks. */
export const PROTOCOL_VERSION = 1;

/** The TCP port of a server when nothing else is said. */
export const DEFAULT_PORT = 12345;

/** The path of the WebSocket on the HTTP side of a server. */
export const WEBSOCKET_PATH = '/ws';

/** The WebSocket subprotocol that a client asks for and a server grants. It stands for the version, in place of a preface. */
export const WEBSOCKET_SUBPROTOCOL = 'chat.v1';

/** The room of the line dialect: everybody who speaks it is there. Other clients join it by name like any other room. */
export const LOBBY = 'lobby';
