/**
 * The chat port for a browser: the web client, the metrics, and a plain no to everything else.
 *
 * The page may run its own files and nothing else: no inline script, no other origin, no HTML made from text
 * (Trusted Types). It may open WebSockets anywhere, because its user may type the address of another server.
 */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { API_PATH } from '../api/operations.js';
import type { WebAsset, WebAssets } from './web-assets.js';

/** The parts of what is served. */
export interface WebOptions {
  readonly assets: WebAssets;
  /** Answers `GET /metrics`; absent where they have a listener of their own. */
  readonly metrics?: RequestListener;
  /** Pages that may show this one in a frame, as sources of CSP. @defaultValue none */
  readonly frameAncestors?: readonly string[];
  /** Answers what is below `/api/v1`; absent where there is no API. */
  readonly api?: RequestListener;
}

const API_PREFIX = `${API_PATH}/`;

const contentSecurityPolicy = (frameAncestors: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors.length > 0 ? frameAncestors.join(' ') : "'none'"}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

const SECURITY_HEADERS: OutgoingHttpHeaders = {
  'Content-Security-Policy': contentSecurityPolicy([]),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const ONE_YEAR_S = 31_536_000;

/** Makes the listener for requests that the chat server does not answer itself. */
export function createWebHandler({ assets, metrics, api, frameAncestors = [] }: WebOptions): RequestListener {
  const policy = contentSecurityPolicy(frameAncestors);
  return (request, response) => {
    if (api && request.url?.startsWith(API_PREFIX)) return api(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendText(response, 405, 'method not allowed', { Allow: 'GET, HEAD' });
    }
    const path = request.url?.split('?')[0] ?? '/';
    if (path === '/metrics' && metrics) return metrics(request, response);
    const asset = assets.get(path);
    if (asset) return sendAsset(request, response, asset, policy);
    if (path === '/') return sendText(response, 200, 'This is a chat server. Its web client was not built.');
    sendText(response, 404, 'not found');
  };
}

/** Sends one line of text that nobody may keep. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text) + 1,
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(`${text}\n`);
}

function sendAsset(
  request: IncomingMessage,
  response: ServerResponse,
  asset: WebAsset,
  policy: string,
): void {
  const zipped = asset.gzip && acceptsGzip(request.headers['accept-encoding']) ? asset.gzip : undefined;
  // RFC 9110, 8.8.3.3: the compressed form is another representation, and so has a tag of its own.
  const etag = `"${asset.tag}${zipped ? '-gzip' : ''}"`;
  const headers: OutgoingHttpHeaders = {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': policy,
    'Cache-Control': asset.immutable ? `public, max-age=${ONE_YEAR_S}, immutable` : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  };
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const body = zipped ?? asset.body;
  response.writeHead(200, {
    ...headers,
    'Content-Type': asset.type,
    'Content-Length': body.length,
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** RFC 9110, 12.5.3: named without `q=0`; `*` stands for what is not named. */
function acceptsGzip(accepted: string | undefined): boolean {
  const codings = new Map(
    (accepted ?? '').split(',').map((item) => {
      const [coding = '', ...parameters] = item
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      return [coding, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))] as const;
    }),
  );
  return codings.get('gzip') ?? codings.get('*') ?? false;
}

/** RFC 9110, 13.1.2: compared weakly. */
function matches(wanted: string | undefined, etag: string): boolean {
  if (wanted === undefined) return false;
  return wanted.split(',').some((item) => {
    const tag = item.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}
