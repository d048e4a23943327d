/** What the program is told of NATS: who it is there, and whom it believes. */
import { readFileSync } from 'node:fs';
import type { NatsLogin, NatsLogOptions } from '@chat/server/nats';
import type { OptionName, Settings } from '../command-line/options.js';
import { readSecret } from '../command-line/secret.js';
import { type SourcedSettings, withPlaces } from '../command-line/settings.js';
import { UsageError } from '../command-line/usage-error.js';

const MAX_REPLICAS = 5;
/** Of these, one at the most. */
const LOGINS = ['natsCredentials', 'natsNkey', 'natsTokenFile', 'natsUser'] as const;

/**
 * `undefined` where there is no NATS.
 *
 * @throws UsageError when settings do not go together, or a file cannot be read
 */
export function natsOptions(given: SourcedSettings): NatsLogOptions | undefined {
  const { settings } = given;
  const { nats: servers, natsStream: stream, natsReplicas: replicas } = settings;
  const refuse = (message: string, ...names: OptionName[]): never => {
    throw new UsageError(withPlaces(message, names, given));
  };
  const said = (Object.keys(settings) as OptionName[]).filter(
    (name) => /^nats./.test(name) && settings[name] !== undefined,
  );
  if (servers === undefined) {
    if (said.length === 0) return undefined;
    const flag = said[0]!.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return refuse(`--${flag} needs --nats`, said[0]!);
  }
  // Not repeated: it may be a secret, which everybody on the machine sees.
  if (servers.some((url) => url.includes('@'))) {
    refuse(
      '--nats must have no user and no password in it: use --nats-user and --nats-password-file',
      'nats',
    );
  }
  const logins = LOGINS.filter((name) => settings[name] !== undefined);
  if (logins.length > 1)
    refuse('--nats-credentials, --nats-nkey, --nats-token-file and --nats-user: choose one', ...logins);
  if ((settings.natsUser === undefined) !== (settings.natsPasswordFile === undefined)) {
    refuse('--nats-user and --nats-password-file go together', 'natsUser', 'natsPasswordFile');
  }
  if ((settings.natsTlsCert === undefined) !== (settings.natsTlsKey === undefined)) {
    refuse('--nats-tls-cert and --nats-tls-key go together', 'natsTlsCert', 'natsTlsKey');
  }
  if (replicas !== undefined && (replicas < 1 || replicas > MAX_REPLICAS)) {
    refuse(`--nats-replicas must be from 1 to ${MAX_REPLICAS}`, 'natsReplicas');
  }
  const login = loginOf(settings);
  const tls = tlsOf(settings);
  return {
    servers,
    ...(stream === undefined ? {} : { stream }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(login ? { login } : {}),
    ...(tls ? { tls } : {}),
  };
}

/** Files are looked at once, and read again at each connection: what is in them may be renewed. */
function loginOf(settings: Settings): NatsLogin | undefined {
  const { natsCredentials, natsNkey, natsTokenFile, natsUser, natsPasswordFile } = settings;
  if (natsCredentials !== undefined) {
    readPem(natsCredentials, 'credentials for NATS');
    return { credentials: () => readFileSync(natsCredentials, 'utf8') };
  }
  if (natsNkey !== undefined) return { nkey: secretIn(natsNkey, 'NKEY for NATS') };
  if (natsTokenFile !== undefined) return { token: secretIn(natsTokenFile, 'token for NATS') };
  if (natsUser === undefined || natsPasswordFile === undefined) return undefined;
  return { user: natsUser, password: secretIn(natsPasswordFile, 'password for NATS') };
}

function secretIn(path: string, what: string): () => string {
  readSecret(path, what);
  return () => readSecret(path, what);
}

function tlsOf({ natsTlsCa, natsTlsCert, natsTlsKey }: Settings): NatsLogOptions['tls'] {
  if (natsTlsCa === undefined && natsTlsCert === undefined) return undefined;
  return {
    ...(natsTlsCa === undefined ? {} : { ca: readPem(natsTlsCa, 'authority of NATS') }),
    ...(natsTlsCert === undefined ? {} : { cert: readPem(natsTlsCert, 'certificate for NATS') }),
    ...(natsTlsKey === undefined ? {} : { key: readPem(natsTlsKey, 'key for NATS') }),
  };
}

function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the ${what}: ${(error as Error).message}`);
  }
}
