/**
 * Why a WebSocket did not open. Browsers do not say it to the page, so the same address is asked once more by
 * HTTP.
 *
 * With a POST, since browsers send the origin of the page with nothing less; the server answers it with 405
 * where it would have let the page in, and with 403 where it would not.
 */
import { WEBSOCKET_PATH } from '@chat/protocol';
import type { PageLocation } from './server-address.js';

/** The part of a response that is needed. */
interface Answered {
  readonly status: number;
  text(): Promise<string>;
}

/** The part of `fetch` that is needed. */
export type Ask = (url: string, options: { readonly method: string }) => Promise<Answered>;

const FORBIDDEN = 403;
const WOULD_LET_IN = 405;
const UPGRADE_REQUIRED = 426;
const SENTENCES: Readonly<Record<number, string>> = {
  [WOULD_LET_IN]:
    'The server is there, but something on the way to it (a proxy, most likely) lets no WebSocket through.',
  [UPGRADE_REQUIRED]:
    'The server is there, but something on the way to it (a proxy, most likely) lets no WebSocket through.',
  404: 'There is a web server at this address, but no chat.',
  421: 'The server does not know itself by this address.',
  429: 'There are too many connections from where you are. Try again later.',
  502: 'There is a proxy at this address, but the chat server behind it does not answer.',
  503: 'The server is not taking anybody in just now. Try again later.',
  504: 'There is a proxy at this address, but the chat server behind it does not answer.',
};

/**
 * @returns a sentence for people, or `undefined` where there is nothing to learn: at other servers the page
 * may not ask
 */
export async function diagnose(server: string, page: PageLocation, ask: Ask): Promise<string | undefined> {
  const url = new URL(server.replace(/^ws/, 'http'));
  if (url.host !== page.host || url.protocol !== page.protocol) return undefined;
  if (url.pathname === '/') url.pathname = WEBSOCKET_PATH;
  try {
    const answer = await ask(url.href, { method: 'POST' });
    if (answer.status !== FORBIDDEN) return SENTENCES[answer.status];
    // The server words the remedy; a proxy that forbids something may answer with a whole page.
    const remedy = (await answer.text()).trim();
    return `The server does not let this page in${/^[^<]{1,300}$/.test(remedy) ? `: ${remedy}` : ''}.`;
  } catch {
    return undefined;
  }
}
