/**
 * A chat in React (18 or later): a provider, and hooks for the connection, a room, its messages, its members, and who
 * is writing. They are made for strict mode, for rendering that is given up half-way, and for servers that render.
 *
 * React is a peer of this package that need not be there: only this subpath imports it.
 *
 * @packageDocumentation
 */
export { type Messages, type Typing, useMembers, useMessages, useRoom, useTyping } from './hooks.js';
export { ChatProvider, type ChatProviderProps, useChat, useConnection } from './provider.js';
export type { RoomView, UseRoomOptions } from './shared-room.js';
