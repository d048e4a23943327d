/** The hooks for a room: joined while a component shows it, and what is told of it. */
import type { Member } from '@chat/client';
import type { TimelineSnapshot } from '@chat/client/timeline';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useChatContext } from './provider.js';
import { type RoomView, UNUSED, type UseRoomOptions } from './shared-room.js';

const NO_MEMBERS: readonly Member[] = [];
const NO_MESSAGES: TimelineSnapshot<never> = {
  items: [],
  firstIndex: 0,
  outgoing: [],
  typists: [],
  unread: 0,
  firstUnread: undefined,
  isLoading: false,
  atStart: false,
  shifts: 0,
  about: {},
};
const nothing = (): void => {};

/**
 * Joins a room while the component is shown. Components that use the same room share it; it is left after the last
 * of them, unless the program had joined it before.
 *
 * @param name - of the room, written alike by all who share it
 * @param options - count when the first component uses the room
 * @throws Error outside of a provider; TypeError when the room is used with another codec already
 *
 * @example
 * ```ts no-run
 * import { useMembers, useMessages, useRoom } from '@chat/client/react';
 * import { createElement } from 'react';
 *
 * export function Lobby() {
 *   const lobby = useRoom('lobby', { history: 20 });
 *   const { items } = useMessages(lobby);
 *   const members = useMembers(lobby);
 *   if (lobby.status === 'failed') return createElement('button', { onClick: lobby.retry }, 'Try again');
 *   const said = items.map((item) => (item.kind === 'message' ? `${item.sender.name}: ${item.value}` : ''));
 *   return createElement('pre', null, `${members.length} here\n${said.join('\n')}`);
 * }
 * ```
 */
export function useRoom<T = string>(name: string, options: UseRoomOptions<T> = {}): RoomView<T> {
  const { rooms } = useChatContext();
  const { codec } = options;
  const latest = useRef(options);
  // Before the room is used, which is an effect as well.
  useEffect(() => {
    latest.current = options;
  });
  const subscribe = useCallback(
    (changed: () => void) =>
      rooms.get(name).use({ ...latest.current, codec } as UseRoomOptions<unknown>, changed),
    [rooms, name, codec],
  );
  const view = useSyncExternalStore(
    subscribe,
    () => rooms.find(name)?.view ?? UNUSED,
    () => UNUSED,
  );
  return view as RoomView<T>;
}

/** A conversation, and what can be done with it. */
export interface Messages<T = string> extends TimelineSnapshot<T> {
  /** As `Timeline.send`: shown at once, waits for the room. @returns whether the message is in the log */
  readonly send: (value: T) => Promise<boolean>;
  /** As `Timeline.retry`, of a message that failed. */
  readonly retry: (key: string) => Promise<boolean>;
  /** As `Timeline.discard`. */
  readonly discard: (key: string) => void;
  /** As `Timeline.loadOlder`. */
  readonly loadOlder: () => Promise<void>;
  /** As `Timeline.markRead`. */
  readonly markRead: () => void;
}

/** The conversation in a room. The functions are the same ones for as long as the room is used. */
export function useMessages<T>(view: RoomView<T>): Messages<T> {
  const { timeline } = view;
  const snapshot = useSyncExternalStore(
    timeline?.subscribe ?? subscribeToNothing,
    () => timeline?.snapshot ?? NO_MESSAGES,
    () => NO_MESSAGES,
  );
  return {
    ...snapshot,
    send: useCallback(async (value: T) => timeline?.send(value) ?? false, [timeline]),
    retry: useCallback(async (key: string) => timeline?.retry(key) ?? false, [timeline]),
    discard: useCallback((key: string) => timeline?.discard(key), [timeline]),
    loadOlder: useCallback(async () => timeline?.loadOlder(), [timeline]),
    markRead: useCallback(() => timeline?.markRead(), [timeline]),
  };
}

/** The members of a room that are known: the first page, and those of `room.loadMembers()`. Empty while joining. */
export function useMembers<T>({ room }: RoomView<T>): readonly Member[] {
  const subscribe = useCallback((changed: () => void) => room?.on('members', changed) ?? nothing, [room]);
  return useList(subscribe, () => [...(room?.members.values() ?? [])]);
}

/** The members that are writing, and how to tell them that this user is. */
export interface Typing {
  /** Others that are writing. */
  readonly typists: readonly Member[];
  /** To be called for each key, and with `false` when the writing ends without a message. */
  readonly typing: (isWriting: boolean) => void;
}

/**
 * Who is writing in a room. The others are told that this user is not, when the component is shown no more.
 *
 * @example
 * ```ts no-run
 * import { useRoom, useTyping } from '@chat/client/react';
 * import { createElement } from 'react';
 *
 * export function Composer() {
 *   const { typists, typing } = useTyping(useRoom('lobby'));
 *   return createElement(
 *     'label',
 *     null,
 *     typists.map(({ name }) => `${name} …`).join(' '),
 *     createElement('input', { onInput: () => typing(true), onBlur: () => typing(false) }),
 *   );
 * }
 * ```
 */
export function useTyping<T>({ timeline }: RoomView<T>): Typing {
  const typists = useList(
    timeline?.subscribe ?? subscribeToNothing,
    () => timeline?.snapshot.typists ?? NO_MEMBERS,
  );
  useEffect(() => () => timeline?.typing(false), [timeline]);
  return { typists, typing: useCallback((isWriting: boolean) => timeline?.typing(isWriting), [timeline]) };
}

/** A list that is read anew each time, and stays the same array while it has the same members. */
function useList(
  subscribe: (changed: () => void) => () => void,
  read: () => readonly Member[],
): readonly Member[] {
  const last = useRef(NO_MEMBERS);
  return useSyncExternalStore(
    subscribe,
    () => {
      const now = read();
      const isSame = now.length === last.current.length && now.every((one, i) => one === last.current[i]);
      if (!isSame) last.current = now;
      return last.current;
    },
    () => NO_MEMBERS,
  );
}

function subscribeToNothing(): () => void {
  return nothing;
}
