/** Self-signed certificates that are good at a time of one's choice: also in the past. Made by the `openssl` of the machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files in PEM. */
export interface DatedCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * @param openssl the program
 * @param folder where the files are made
 * @param name of DNS that it is for
 * @param from - as `20260101000000Z`
 */
export function makeDatedCertificate(
  openssl: string,
  folder: string,
  name: string,
  from: string,
  until: string,
): DatedCertificate {
  const place = mkdtempSync(join(folder, 'certificate-'));
  const file = (base: string): string => join(place, base);
  const run = (...args: string[]): void => void execFileSync(openssl, args, { cwd: place, stdio: 'ignore' });
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('serial'), '01\n');
  const sections = [
    '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=policy',
    `x509_extensions=names\n[names]\nsubjectAltName=DNS:${name}\n[policy]\ncommonName=supplied\n`,
  ];
  writeFileSync(file('ca.cnf'), sections.join('\n'));
  const newKey = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    'key.pem',
  ];
  run('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-out', 'request.pem');
  const dates = ['-startdate', from, '-enddate', until];
  const sign = ['ca', '-config', 'ca.cnf', '-selfsign', '-keyfile', 'key.pem', '-in', 'request.pem'];
  run(...sign, ...dates, '-batch', '-notext', '-out', 'cert.pem');
  return { cert: file('cert.pem'), key: file('key.pem') };
}
