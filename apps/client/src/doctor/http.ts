/** What the server, or a proxy before it, says over HTTP: readiness, the page, the clock, the upgrade. */
import { randomBytes } from 'node:crypto';
import { WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import { type Finding, ok, problem, warning } from './finding.js';
import { type Answer, ask, type Target } from './target.js';

/** Times of messages, and certificates, are read on both machines. */
const FAR_MS = 30_000;
/** `Date` has whole seconds, and the answer took its time. */
const NEAR_MS = 2000;
const CLOCK = 'set the clocks by NTP: times of messages, and certificates, depend on them';

/** Asks one thing after the other; what follows from an earlier answer is not told again. */
export async function http(target: Target, now: () => number): Promise<readonly Finding[]> {
  const base = target.path.replace(/[^/]*$/, '');
  let ready: Answer;
  try {
    ready = await ask(target, `${base}readyz`);
  } catch (error) {
    const remedy = 'is that a chat server, and is TLS spoken at both ends or at none?';
    return [problem('HTTP', `no answer: ${(error as Error).message}`, remedy)];
  }
  return [
    readiness(ready),
    ...clock(ready, now()),
    ...(ready.status === 200 || ready.status === 421 ? await page(target, base) : []),
    ...(await upgrade(target)),
  ];
}

function readiness({ status, body }: Answer): Finding {
  if (status === 200) return ok('HTTP', 'the server is ready');
  const text = `/readyz answers ${status}: ${firstLine(body)}`;
  if (status === 503) return problem('HTTP', text, 'look at the log of the server');
  return problem('HTTP', text, 'is that a chat server? A proxy has to pass /readyz and /ws on');
}

function clock({ headers }: Answer, now: number): readonly Finding[] {
  const theirs = Date.parse(String(headers.date));
  if (Number.isNaN(theirs)) return [];
  const apartMs = Math.max(0, Math.abs(theirs - now) - NEAR_MS);
  if (apartMs === 0) return [ok('clock', 'both machines have the same time')];
  const seconds = Math.round(Math.abs(theirs - now) / 1000);
  const text = `the server is ${seconds} s ${theirs > now ? 'ahead of' : 'behind'} this machine`;
  return [apartMs > FAR_MS ? problem('clock', text, CLOCK) : warning('clock', text, CLOCK)];
}

/** As a browser asks for the page: under the name that it was given. */
async function page(target: Target, base: string): Promise<readonly Finding[]> {
  const { status, body } = await ask(target, base, { accept: 'text/html' });
  if (status === 421) {
    const text = `the server does not know the name ${target.host}: ${firstLine(body)}`;
    return [
      problem('Host', text, `start it with --allowed-host ${target.host}; a proxy has to pass Host on`),
    ];
  }
  return status === 200 ? [ok('page', 'the page is there')] : [];
}

/** Whether a WebSocket comes through; a proxy that does not know them answers as if it was a page. */
async function upgrade(target: Target): Promise<readonly Finding[]> {
  const about = 'WebSocket';
  let answer: Answer;
  try {
    answer = await ask(target, target.path, {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      'sec-websocket-protocol': WEBSOCKET_SUBPROTOCOL,
    });
  } catch (error) {
    const text = `HTTP is answered, and the upgrade is not: ${(error as Error).message}`;
    return [problem(about, text, 'a proxy on the way lets no WebSocket through: see deploy/nginx.conf')];
  }
  const { status, body } = answer;
  if (status === 101) return [ok(about, 'the upgrade comes through')];
  const text = `the upgrade is answered with ${status}: ${firstLine(body)}`;
  if (status === 403 || status === 429 || status === 503)
    return [problem(about, text, 'look at the log of the server')];
  const remedy =
    'a proxy on the way eats upgrades: it has to pass Upgrade and Connection on, as in deploy/nginx.conf';
  return [problem(about, text, remedy)];
}

function firstLine(body: string): string {
  // It may come from anywhere: nothing in it moves the cursor of a terminal.
  return body.replace(/\p{Cc}[\s\S]*$/u, '').slice(0, 120) || 'without a word';
}
