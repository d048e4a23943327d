/**
 * From the command line to a client that is ready to connect.
 */
import { readFileSync } from 'node:fs';
import { type ChatClient, ClientError, type ConnectOptions, createChatClient } from '@chat/client';
import { REACTIONS_FEATURE, READS_FEATURE, RICH_FEATURE } from '@chat/client/timeline';
import { type Arguments, UsageError } from './args.js';

/** Options for the library that every front end shares. */
export function createClient(
  url: string,
  name: string,
  args: Pick<Arguments, 'tlsCa' | 'password'>,
  version: string,
  more: Partial<ConnectOptions> = {},
): ChatClient {
  return createChatClient(url, {
    name,
    agent: `chat/${version}`,
    features: [RICH_FEATURE, REACTIONS_FEATURE, READS_FEATURE],
    ...(args.password !== undefined && { credentials: { password: args.password } }),
    ...(args.tlsCa !== undefined && { tls: { ca: readCertificate(args.tlsCa) } }),
    ...more,
  });
}

function readCertificate(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read the certificate: ${(error as Error).message}`, 2);
  }
}

/** Whether a password, or another one, may help. */
export function isAboutPassword(error: unknown): boolean {
  return ClientError.is(error) && error.code === 'ERR_CLIENT_UNAUTHORIZED';
}

/** Whether another name may help. */
export function isAboutName(error: unknown): boolean {
  return (
    ClientError.is(error) &&
    (error.code === 'ERR_CLIENT_NAME_TAKEN' || error.code === 'ERR_CLIENT_NAME_INVALID')
  );
}
