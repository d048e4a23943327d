/** The way to the server: its name, the connection, the certificate. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { type Finding, ok, problem, warning } from './finding.js';
import { ANSWER_MS, type Target } from './target.js';

const DAY_MS = 86_400_000;
/** So many days before its end an authority has renewed a certificate, if it does that by itself. */
const RENEWED_DAYS = 14;

/** Whether anything can be reached; nothing else is worth a look if not. */
export async function reach(
  target: Target,
): Promise<{ readonly findings: readonly Finding[]; readonly isReached: boolean }> {
  const { host, port, socketPath } = target;
  const findings: Finding[] = [];
  if (socketPath === undefined && isIP(host) === 0) {
    try {
      const addresses = await lookup(host, { all: true });
      findings.push(ok('name', `${host} is ${addresses.map(({ address }) => address).join(', ')}`));
    } catch {
      const found = problem('name', `there is no host ${host}`, 'look at its spelling, and at the DNS');
      return { findings: [found], isReached: false };
    }
  }
  const where = socketPath ?? `port ${port}`;
  const error = await connectError(target);
  if (error) findings.push(problem('connection', `${where}: ${wordsFor(error)}`, remedyFor(error)));
  else findings.push(ok('connection', `${where} takes connections`));
  return { findings, isReached: error === undefined };
}

function connectError({ host, port, socketPath }: Target): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = socketPath === undefined ? connect({ host, port }) : connect(socketPath);
    socket.setTimeout(ANSWER_MS, () =>
      socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException & { readonly errors?: NodeJS.ErrnoException[] }) =>
      resolve(error.errors?.[0] ?? error),
    );
  });
}

function wordsFor({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ETIMEDOUT':
      return 'no answer at all';
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'this user may not open it';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that network';
    default:
      return message;
  }
}

function remedyFor({ code }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ETIMEDOUT':
      return 'look at firewalls on the way, and at the address';
    case 'EACCES':
      return 'let its group in: --unix-mode 660 --unix-group';
    default:
      return 'start the server there (chat-server doctor says why it does not), or look at the port';
  }
}

/** The certificate that a client is shown. */
export async function certificate(target: Target, now: number): Promise<readonly Finding[]> {
  if (!target.isTls) return [];
  const about = 'certificate';
  const { host, port, ca } = target;
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  let socket: TLSSocket;
  try {
    socket = await new Promise<TLSSocket>((resolve, reject) => {
      const opened = connectTls(
        { host, port, ...name, ...(ca ? { ca } : {}), rejectUnauthorized: false },
        () => resolve(opened),
      );
      opened.setTimeout(ANSWER_MS, () => opened.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
      opened.once('error', reject);
    });
  } catch (error) {
    const { reason, message } = error as Error & { readonly reason?: string };
    const text = `there is no TLS: ${reason ?? message}`;
    return [problem(about, text, 'use tcp: or ws:, or start the server with --tls-cert and --tls-key')];
  }
  const shown = socket.getPeerCertificate();
  const distrust = socket.authorizationError as Error | string | null | undefined;
  socket.destroy();
  return [...ageOf(shown, now), ...nameOf(shown, host), ...trustIn(distrust)];
}

function ageOf(shown: PeerCertificate, now: number): readonly Finding[] {
  const about = 'certificate';
  const [from, to] = [Date.parse(shown.valid_from), Date.parse(shown.valid_to)];
  const days = Math.floor((to - now) / DAY_MS);
  const renew = 'renew it, and send the server SIGHUP';
  if (days < 0) return [problem(about, `it has expired on ${shown.valid_to}`, renew)];
  if (from > now)
    return [problem(about, `it is good from ${shown.valid_from} on`, 'look at the clocks of both machines')];
  if (days < RENEWED_DAYS) return [warning(about, `it expires in ${days} days, on ${shown.valid_to}`, renew)];
  return [ok(about, `good until ${shown.valid_to}`)];
}

function nameOf(shown: PeerCertificate, host: string): readonly Finding[] {
  if (checkServerIdentity(host, shown) === undefined) return [];
  const names = shown.subjectaltname?.replace(/(?:DNS|IP Address):/g, '') ?? [shown.subject?.CN].join('');
  const text = `it is for ${names}, and not for ${host}`;
  return [problem('certificate', text, `use one of those names, or get one that names ${host}`)];
}

function trustIn(distrust: Error | string | null | undefined): readonly Finding[] {
  const code = String((distrust as NodeJS.ErrnoException | undefined)?.code ?? distrust ?? '');
  // Told above, in better words.
  if (code === '' || /EXPIRED|NOT_YET_VALID|ALTNAME/.test(code)) return [];
  const text = /SELF_SIGNED|UNABLE_TO/.test(code)
    ? 'nobody whom this machine trusts has signed it'
    : `it is not trusted: ${code}`;
  return [
    problem('certificate', text, 'use --tls-ca FILE for an authority of your own; send the whole chain'),
  ];
}
