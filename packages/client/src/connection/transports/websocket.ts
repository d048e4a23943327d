/**
 * `ws://` and `wss://`, over anything that has the interface of the browser's WebSocket: the browser's own,
 * and the one of the library `ws`.
 *
 * There is no preface, since the subprotocol `chat.v1` names the dialect. Messages are binary and hold whole
 * frames, so neither side sees where the other one cut.
 */
import { WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import { onAbort } from '../../events/on-abort.js';
import type { OpenOptions, Transport, TransportSink } from '../transport.js';

/** The part of WebSocket that is used here. */
export interface WebSocketLike {
  readonly protocol: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(bytes: Uint8Array): void;
  close(code?: number): void;
  /** Only the library has it: drops the connection without a goodbye. */
  terminate?(): void;
}

const OPEN = 1;
const NORMAL = 1000;

/** Completes the URL with the path that servers listen at. */
export function webSocketUrl(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = WEBSOCKET_PATH;
  parsed.hash = '';
  return parsed.href;
}

/** Waits until `socket`, which has just been made, is open. */
export function openWebSocket(
  socket: WebSocketLike,
  sink: TransportSink,
  { signal }: OpenOptions,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    let opened = false;
    let failure: Error | undefined;
    const destroy = () => {
      if (socket.terminate) socket.terminate();
      else socket.close();
    };
    const abort = () => {
      reject(signal.reason as Error);
      destroy();
    };
    const stopWaiting = onAbort(signal, abort);
    socket.onerror = (event: { readonly error?: Error; readonly message?: string }) => {
      failure = event.error ?? new Error(event.message ?? 'the WebSocket failed');
    };
    socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
      stopWaiting();
      if (event.code !== NORMAL || !opened) {
        failure ??= new Error(`WebSocket closed with ${event.code}${event.reason && `: ${event.reason}`}`);
      }
      if (opened) sink.closed(failure);
      else reject(failure);
    };
    socket.onmessage = (event: { readonly data: unknown }) => {
      const { data } = event;
      // Not asked for its class: what comes from another realm, as in jsdom, has another one of the same
      // name.
      if (ArrayBuffer.isView(data)) {
        sink.data(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      } else if (typeof data !== 'string') sink.data(new Uint8Array(data as ArrayBuffer));
      else {
        failure = new Error('the server sent text');
        destroy();
      }
    };
    socket.onopen = () => {
      stopWaiting();
      if (socket.protocol !== WEBSOCKET_SUBPROTOCOL) {
        failure = new Error(`subprotocol '${socket.protocol}', not ${WEBSOCKET_SUBPROTOCOL}`);
        return destroy();
      }
      opened = true;
      resolve({
        framed: true,
        get bufferedBytes() {
          return socket.bufferedAmount;
        },
        write: (bytes) => {
          if (socket.readyState === OPEN) socket.send(bytes);
        },
        end: () => socket.close(NORMAL),
        destroy,
      });
    };
    if (signal.aborted) abort();
  });
}
