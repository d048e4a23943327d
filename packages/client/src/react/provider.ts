/**
 * The client of a part of a page: given, or made and connected while the part is shown.
 */
import { type ChatClient, type ClientState, type ConnectOptions, createChatClient } from '@chat/client';
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import { Lease } from './lease.js';
import { SharedRooms } from './shared-rooms.js';

/** Properties of {@link ChatProvider}: a client, or what it takes to make one. */
export type ChatProviderProps = { readonly children?: ReactNode } & (
  | {
      /** A client of the program, which connects and closes it. */
      readonly client: ChatClient<never> | ChatClient<string>;
    }
  | {
      /** Where to connect while the provider is shown. Read once: another `key` makes another client. */
      readonly url: string | URL;
      /** How. Read once. */
      readonly options: ConnectOptions<never> | ConnectOptions<string>;
    }
);

/** What the hooks need of a provider. */
export interface Chat {
  readonly client: ChatClient<unknown>;
  readonly rooms: SharedRooms;
}

const Context = createContext<Chat | undefined>(undefined);

/**
 * Gives a client to the hooks of the components in it.
 *
 * With `url` it makes a client, connects it when it is shown first, and closes it when it is shown no more. Nothing
 * is connected where a server renders.
 *
 * @example
 * ```ts no-run
 * import { tabIdentity } from '@chat/client';
 * import { ChatProvider } from '@chat/client/react';
 * import { createElement, type ReactElement, type ReactNode } from 'react';
 *
 * const options = { name: 'ada', identity: tabIdentity() };
 * export function Chat({ children }: { readonly children: ReactNode }): ReactElement {
 *   return createElement(ChatProvider, { url: 'wss://chat.example.org', options }, children);
 * }
 * ```
 */
export function ChatProvider(props: ChatProviderProps): ReactElement {
  const given = 'client' in props ? props.client : undefined;
  const [own] = useState(() => ('client' in props ? undefined : ownClient(props.url, props.options)));
  const client = (given ?? own?.client) as ChatClient<unknown>;
  const [chat, setChat] = useState<Chat>(() => ({ client, rooms: new SharedRooms(client) }));
  let current = chat;
  if (chat.client !== client) {
    current = { client, rooms: new SharedRooms(client) };
    setChat(current);
  }
  useEffect(() => own?.lease.take(), [own]);
  return createElement(Context.Provider, { value: current }, props.children);
}

/** A client that is connected while it is used. */
function ownClient(url: string | URL, options: ConnectOptions<never> | ConnectOptions<string>) {
  const client = createChatClient(url, options as ConnectOptions<unknown>);
  const lease = new Lease(
    // Its state says why it could not.
    () => void client.connect().catch(() => {}),
    () => void client.close(),
  );
  return { client, lease };
}

/** @throws Error outside of a {@link ChatProvider} */
export function useChatContext(): Chat {
  const chat = useContext(Context);
  if (chat === undefined) throw new Error('there is no <ChatProvider> around this component');
  return chat;
}

/**
 * The client of the {@link ChatProvider} around this component: the same object in each render.
 *
 * @typeParam D - values of direct messages, as `directCodec` has them
 * @throws Error outside of a provider
 */
export function useChat<D = string>(): ChatClient<D> {
  return useChatContext().client as ChatClient<D>;
}

const IDLE: ClientState = { status: 'idle' };

/**
 * The connection as it is now: the component renders again with each change. `idle` where a server renders.
 *
 * @throws Error outside of a provider
 *
 * @example
 * ```ts no-run
 * import { useConnection } from '@chat/client/react';
 * import { createElement } from 'react';
 *
 * export function ConnectionLine() {
 *   const state = useConnection();
 *   return createElement('p', null, state.status === 'reconnecting' ? `attempt ${state.attempt}` : state.status);
 * }
 * ```
 */
export function useConnection(): ClientState {
  const { client } = useChatContext();
  const subscribe = useCallback((changed: () => void) => client.on('state', changed), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => IDLE,
  );
}
