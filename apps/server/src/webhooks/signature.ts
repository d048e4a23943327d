/**
 * Signs a delivery as Standard Webhooks 1.0 does, so that receivers find a library for it in most languages: HMAC-SHA-256
 * over id, time and body.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../command-line/usage-error.js';

/** Shorter secrets can be guessed. */
const MIN_SECRET_CHARACTERS = 16;
const ENCODED = 'whsec_';

/**
 * The key in a file: the bytes behind `whsec_` in base64, or else the line itself.
 *
 * @throws UsageError without anything of the secret
 */
export function readWebhookKey(path: string): Buffer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`cannot read the secret of a webhook: ${(error as Error).message}`);
  }
  if (!new RegExp(`^[!-~]{${MIN_SECRET_CHARACTERS},}$`).test(text)) {
    throw new UsageError(
      `the secret of a webhook in ${path} must be one line of at least ${MIN_SECRET_CHARACTERS} visible ASCII characters`,
    );
  }
  return text.startsWith(ENCODED) ? Buffer.from(text.slice(ENCODED.length), 'base64') : Buffer.from(text);
}

/** The headers that sign a body. */
export function signedHeaders(key: Buffer, id: string, atMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
