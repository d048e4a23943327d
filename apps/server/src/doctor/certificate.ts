/** The certificate of the server, before a client finds out. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Check, type Finding, ok, problem, warning } from './check.js';

const DAY_MS = 86_400_000;
/** So many days before its end an authority has renewed it, if it does that by itself. */
const RENEWED_DAYS = 14;
const ABOUT = 'certificate';

export const certificate: Check = ({ args: { tlsCert, tlsKey, tlsClientCa, allowedHost = [] }, now }) => {
  if (tlsCert === undefined || tlsKey === undefined) return [];
  const found: Finding[] = [];
  const read = <T>(path: string, what: string, parse: (bytes: Buffer) => T): T | undefined => {
    try {
      return parse(readFileSync(path));
    } catch (error) {
      const remedy = `let the user of the server read a file in PEM there`;
      found.push(
        problem(ABOUT, `the ${what} in ${path} cannot be used: ${(error as Error).message}`, remedy),
      );
      return undefined;
    }
  };
  const own = read(tlsCert, 'certificate', (bytes) => new X509Certificate(bytes));
  const key = read(tlsKey, 'key', (bytes) => createPrivateKey(bytes));
  if (tlsClientCa !== undefined)
    read(tlsClientCa, 'authority of clients', (bytes) => new X509Certificate(bytes));
  if (!own || !key) return found;
  if (!own.checkPrivateKey(key)) {
    found.push(
      problem(
        ABOUT,
        `the key in ${tlsKey} is not that of ${tlsCert}`,
        'put the two together that belong together',
      ),
    );
  }
  found.push(ageOf(own, now));
  for (const host of allowedHost) {
    if (host.startsWith('*') || own.checkHost(host) !== undefined) continue;
    const text = `it is for ${namesOf(own)}, and not for ${host}`;
    found.push(problem(ABOUT, text, `get one that names ${host}, or take that out of --allowed-host`));
  }
  return found;
};

function ageOf(own: X509Certificate, now: number): Finding {
  const renew = 'renew it, and send SIGHUP';
  const from = Date.parse(own.validFrom);
  const days = Math.floor((Date.parse(own.validTo) - now) / DAY_MS);
  if (days < 0) return problem(ABOUT, `it has expired on ${own.validTo}`, renew);
  if (from > now)
    return problem(ABOUT, `it is good from ${own.validFrom} on`, 'set the clock of this machine, or wait');
  if (days < RENEWED_DAYS) return warning(ABOUT, `it expires in ${days} days, on ${own.validTo}`, renew);
  return ok(ABOUT, `for ${namesOf(own)}, until ${own.validTo}`);
}

function namesOf({ subjectAltName, subject }: X509Certificate): string {
  const names = subjectAltName?.replace(/(?:DNS|IP Address):/g, '') ?? subject?.replace(/^.*CN=/s, '');
  return names || 'nobody';
}
