/**
 * Which web pages may speak to this server.
 *
 * A browser lets any page open a WebSocket to any address; `Origin` says which page it was (RFC 6455, 10.2). So a page
 * must be of the host that it speaks to, or be listed. That alone does not stop DNS rebinding: an attacker makes a name
 * of his own lead here, and then page and host agree. So the name must be known as well.
 *
 * A name is known when it is listed, or is this machine, or is an address. Where nothing is listed, two more pass:
 * a page that came over TLS, since only the owner of a name has a certificate for it; and one at port 80 when this
 * server has another, since a proxy stands between.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** The parts of a request that tell which page asks, and for which host. */
export interface PageRequest {
  /** `Host`, or what a trusted proxy says that it was. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Where the connection came in; `undefined` for a Unix socket. */
  readonly localPort: number | undefined;
  /** Whether TLS ended in this server. */
  readonly isSecure: boolean;
}

/** Why a page is refused: the option to change, and what to do. */
export interface PageRefusal {
  readonly option: 'allowedOrigins' | 'allowedHosts';
  readonly remedy: string;
}

interface Host {
  readonly name: string;
  /** `undefined` where it was not written. */
  readonly port: number | undefined;
}

export class PageGuard {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  /**
   * @param origins pages from elsewhere that may connect; `'*'` is any
   * @param hosts names that lead here; `'*.example.org'` is any below, `'*'` is any. None: see above
   */
  constructor(origins: readonly string[], hosts: readonly string[]) {
    this.#origins = new Set(origins.map((origin) => originOf(origin) ?? origin));
    this.#hosts = new Set(hosts.map((host) => hostOf(host)?.name ?? host.toLowerCase()));
  }

  /** Whether a WebSocket may be opened. A request without `Origin` is of no page. */
  refusesPage(request: PageRequest): PageRefusal | undefined {
    const { origin, localPort, isSecure } = request;
    if (origin === undefined || this.#origins.has('*')) return undefined;
    const page = originOf(origin);
    if (this.#origins.has(page ?? origin)) return undefined;
    const host = hostOf(request.host);
    if (page === undefined || !host || !isOf(new URL(page), host, isSecure ? 443 : 80, localPort)) {
      const remedy = `if this page is yours, allow the origin ${origin}, or let the proxy pass Host on with its port`;
      return { option: 'allowedOrigins', remedy };
    }
    const isTrusted = page.startsWith('https:') || isBehindProxy(request, new URL(page));
    return this.#isKnown(host.name) || (this.#hosts.size === 0 && isTrusted) ? undefined : unknown(host.name);
  }

  /** Whether a request for a page is answered: one whose page could not speak here is not shown either. */
  refusesHost(request: PageRequest, isNavigation: boolean): PageRefusal | undefined {
    const host = hostOf(request.host);
    if (!host || this.#isKnown(host.name)) return undefined;
    if (this.#hosts.size > 0) return unknown(host.name);
    const isDirect = !request.isSecure && (host.port ?? 80) === request.localPort;
    return isNavigation && isDirect ? unknown(host.name) : undefined;
  }

  #isKnown(name: string): boolean {
    if (this.#hosts.has('*') || this.#hosts.has(name) || isOwnName(name)) return true;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      if (this.#hosts.has(`*${name.slice(dot)}`)) return true;
    }
    return false;
  }
}

/** `name` or `name:port` as a browser would write it: in small letters, names of other scripts in ASCII. */
export function hostOf(host: string | undefined): Host | undefined {
  if (host === undefined || /[\s/?#@\\]/.test(host)) return undefined;
  const [, name, port] = /^(.+?)(?::(\d{1,5}))?$/.exec(isIP(host) === 6 ? `[${host}]` : host) ?? [];
  if (name === undefined) return undefined;
  // A star is no host name, and is kept.
  if (name.startsWith('*')) return { name: name.toLowerCase(), port: undefined };
  const url = URL.canParse(`http://${name}`) ? new URL(`http://${name}`) : undefined;
  if (!url) return undefined;
  return { name: url.hostname.replace(/\.$/, ''), port: port === undefined ? undefined : Number(port) };
}

/** The origin without a default port; `undefined` for what is no page of the web. */
function originOf(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : undefined;
}

/**
 * Whether a page is of the host that was asked for. A default port may be written or not (RFC 9110, 4.2.3). A proxy that
 * drops the port is recognised by this server's own: a browser that spoke to it directly would have written one.
 */
function isOf(page: URL, host: Host, defaultPort: number, localPort: number | undefined): boolean {
  if (page.hostname.replace(/\.$/, '') !== host.name) return false;
  const port = portOf(page);
  if (host.port !== undefined) return host.port === port;
  return port === 80 || port === 443 || localPort !== defaultPort;
}

/** A browser at the default port of HTTP does not speak to this server, which has another: a proxy does. */
function isBehindProxy({ localPort }: PageRequest, page: URL): boolean {
  return localPort === undefined || (portOf(page) === 80 && localPort !== 80);
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** Names that nobody else can make lead here: loopback, addresses, and what this machine is called. */
function isOwnName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (name.startsWith('[') || isIP(name) !== 0) return true;
  const own = hostname().toLowerCase();
  const [short = own] = own.split('.');
  return name === own || name === short || name === `${short}.local`;
}

function unknown(name: string): PageRefusal {
  const remedy = `this server is not known as ${name}; if that is its name, list it in allowedHosts`;
  return { option: 'allowedHosts', remedy: `${remedy} (--allowed-host ${name})` };
}
