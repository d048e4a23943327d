/**
 * Turns the text that people type as "server" into the URL of its WebSocket. They type a host, a host and a
 * port, the address of a page of such a server, or a whole URL.
 */
import { DEFAULT_PORT, WEBSOCKET_PATH } from '@chat/protocol';
import { parseUrl } from '../text/parse-url.js';

/** The part of `location` that is needed. */
export interface PageLocation {
  readonly protocol: string;
  readonly host: string;
  readonly pathname: string;
}

/** The server that a page came from: its host, and the folder of the page where a proxy gave it one. */
export function pageAddress({ host, pathname }: PageLocation): string {
  return host + pathname.replace(/\/[^/]*$/, '');
}

/**
 * The URL to connect to; `undefined` when what was typed is no address.
 *
 * The server that this page came from is reached as the page was. Another one is reached at the usual port,
 * with TLS if this page came with TLS, since browsers allow nothing else then. An address with a path is that
 * of a page, behind a proxy at the port of the web, and the WebSocket is beside it; after `ws://` or `wss://`
 * it is meant as it is.
 */
export function serverUrl(typed: string, page: PageLocation): string | undefined {
  const text = typed.trim();
  const tls = page.protocol === 'https:';
  const scheme = /^([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  const isWhole = scheme !== undefined;
  const rest = (isWhole ? text.slice(scheme.length + 3) : text).replace(/\/+$/, '');
  if (rest === '' || /[\s@\\]/.test(rest)) return undefined;
  const secure = { ws: false, http: false, wss: true, https: true }[scheme ?? (tls ? 'https' : 'http')];
  const url = secure === undefined ? undefined : parseUrl(`${secure ? 'wss' : 'ws'}://${rest}`);
  if (url === undefined) return undefined;
  const hasPath = url.pathname !== '/';
  const isElsewhere = !isWhole && !hasPath && rest !== page.host;
  if (isElsewhere && !/:\d+$/.test(rest)) url.port = String(DEFAULT_PORT);
  if (hasPath && !scheme?.startsWith('ws') && !url.pathname.endsWith(WEBSOCKET_PATH)) {
    url.pathname = `${url.pathname.replace(/\/$/, '')}${WEBSOCKET_PATH}`;
  }
  url.search = '';
  url.hash = '';
  return url.href.replace(/\/$/, '');
}

/** The address as it is shown: without what goes without saying. */
export function shownAddress(url: string): string {
  return url.replace(/^wss?:\/\//, '').replace(/\/ws$/, '');
}
