/**
 * Certificates that are made for a test and trusted by nobody else.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../../../test/support/find-program.js';

/** Undefined skips the tests that need certificates. */
export const OPENSSL: string | undefined = findProgram('openssl');

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** The certificate as text: it is its own authority. */
  readonly ca: string;
}

/** Makes a certificate for this machine, in two files of `folder`. */
export function makeCertificate(folder: string, name: string): CertificateFiles {
  const cert = join(folder, `${name}.cert.pem`);
  const key = join(folder, `${name}.key.pem`);
  execFileSync(
    OPENSSL ?? '',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: 'pipe' },
  );
  return { cert, key, ca: readFileSync(cert, 'utf8') };
}
