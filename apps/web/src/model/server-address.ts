/**
 * What people type as "server", as the URL of its WebSocket: a host, a host and a port, or a whole URL.
 */

/** Where a server listens when nothing else is said. */
const DEFAULT_PORT = 12345;

/** The part of `location` that is needed. */
export interface PageLocation {
  readonly protocol: string;
  readonly host: string;
}

/**
 * The URL to connect to; `undefined` when what was typed is no address.
 *
 * The server that this page came from is reached as the page was. Another one is reached at the usual port, with
 * TLS if this page came with TLS, since browsers allow nothing else then.
 */
export function serverUrl(typed: string, page: PageLocation): string | undefined {
  const text = typed.trim();
  const tls = page.protocol === 'https:';
  const scheme = /^([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  const isWhole = scheme !== undefined;
  const rest = (isWhole ? text.slice(scheme.length + 3) : text).replace(/\/+$/, '');
  if (rest === '' || /[\s@\\]/.test(rest)) return undefined;
  const secure = { ws: false, http: false, wss: true, https: true }[scheme ?? (tls ? 'https' : 'http')];
  if (secure === undefined || !URL.canParse(`http://${rest}`)) return undefined;
  const url = new URL(`${secure ? 'wss' : 'ws'}://${rest}`);
  if (!isWhole && rest !== page.host && !/:\d+(\/|$)/.test(rest)) url.port = String(DEFAULT_PORT);
  url.search = '';
  url.hash = '';
  return url.href.replace(/\/$/, '');
}

/** The address as it is shown: without what goes without saying. */
export function shownAddress(url: string): string {
  return url.replace(/^wss?:\/\//, '');
}
