/**
 * Makes the URL that the client library takes of an address as people type it.
 *
 * `192.168.1.5`, `host:port`, `[::1]:12345`, `/run/chat.sock`, and any URL; `ada@host#room` says the name and
 * the room with it.
 */
import { DEFAULT_PORT } from '@chat/protocol';

/** The address to connect to, and the facts about the user that came with it. */
export interface ServerAddress {
  readonly url: string;
  readonly name?: string;
  readonly room?: string;
}

/** The server that is meant when none is named. */
export const DEFAULT_SERVER: string = `localhost:${DEFAULT_PORT}`;

const SCHEMES = /^(tcp|tls|unix|wss?|https?):/i;

/** @returns undefined when `text` is not an address */
export function parseServerAddress(text: string): ServerAddress | undefined {
  let rest = text.trim();
  if (rest === '' || /\s/.test(rest)) return undefined;
  if (/^unix:/i.test(rest)) return rest.length > 'unix:'.length ? { url: rest } : undefined;
  if (/^(\.{0,2}\/|\\\\[.?]\\)/.test(rest)) return { url: `unix:${rest}` };
  let room: string | undefined;
  const hash = rest.indexOf('#');
  if (hash !== -1) {
    room = rest.slice(hash + 1);
    rest = rest.slice(0, hash);
  }
  let name: string | undefined;
  const at = rest.lastIndexOf('@');
  if (at !== -1 && !SCHEMES.test(rest)) {
    name = rest.slice(0, at);
    rest = rest.slice(at + 1);
  }
  if (room === '' || name === '') return undefined;
  // An IPv6 address without brackets has several colons, and then no port.
  if (!SCHEMES.test(rest) && /^[\da-f:.]*:[\da-f:.]*:[\da-f:.]*$/i.test(rest)) rest = `[${rest}]`;
  // The web page's address is what people copy: the WebSocket is at the same host and port.
  const url = SCHEMES.test(rest) ? rest.replace(/^http(s?):/i, 'ws$1:') : `tcp://${rest}`;
  try {
    const { hostname, port } = new URL(url);
    if (hostname === '' || port === '0') return undefined;
  } catch {
    return undefined;
  }
  return { url, ...(name !== undefined && { name }), ...(room !== undefined && { room }) };
}

/** An address as people write it: without the scheme and the port that are meant anyway. */
export function displayAddress(url: string): string {
  return url.replace(/^tcp:\/\//, '');
}
