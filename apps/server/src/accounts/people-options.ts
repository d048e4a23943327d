/** What the options of the program say of who may come in. */
import { flagOf, type Settings } from '../command-line/options.js';
import { type SourcedSettings, withPlaces } from '../command-line/settings.js';
import { UsageError } from '../command-line/usage-error.js';
import { accountFileIn } from './account-file.js';
import type { PeopleOptions } from './people.js';
import type { TokenOptions } from './tokens.js';

/** @returns undefined where nobody is asked who they are @throws UsageError */
export function peopleOptions(given: SourcedSettings): PeopleOptions | undefined {
  const { data, accounts, passwordFile, guests, tlsClientCa, tlsClientName } = given.settings;
  const tokens = tokenOptions(given);
  const refuse = (message: string, ...names: (keyof Settings)[]): never => {
    throw new UsageError(withPlaces(message, names, given));
  };
  const accountFile = accounts ?? (data === undefined ? undefined : accountFileIn(data));
  if (guests === 'on' && passwordFile !== undefined) {
    const message = '--guests on would let those in who do not have the password of --password-file';
    refuse(message, 'guests', 'passwordFile');
  }
  if (tlsClientName && tlsClientCa === undefined) {
    refuse('--tls-client-name needs --tls-client-ca', 'tlsClientName');
  }
  const isForAll = passwordFile !== undefined || tokens !== undefined || tlsClientName;
  if (accountFile === undefined && !isForAll) {
    if (guests !== 'off') return undefined;
    const message =
      '--guests off needs --data, --accounts, --password-file, --tls-client-name or a --jwt option: nobody could come in';
    refuse(message, 'guests');
  }
  const isOpen = guests === undefined ? !isForAll : guests === 'on';
  return { accountFile, passwordFile, tokens, certificates: tlsClientName, guests: isOpen };
}

/** @throws UsageError */
function tokenOptions(given: SourcedSettings): TokenOptions | undefined {
  const { settings } = given;
  const { jwtSecretFile: secretFile, jwtJwks: jwks } = settings;
  if (secretFile !== undefined && jwks !== undefined) {
    const message = '--jwt-secret-file and --jwt-jwks are two ways to sign: choose one of them';
    throw new UsageError(withPlaces(message, ['jwtSecretFile', 'jwtJwks'], given));
  }
  if (secretFile === undefined && jwks === undefined) {
    const needing = ['jwtAlgorithm', 'jwtAudience', 'jwtIssuer', 'jwtCookie'] as const;
    const found = needing.find((name) => settings[name] !== undefined);
    if (found === undefined) return undefined;
    throw new UsageError(
      withPlaces(`${flagOf(found)} needs --jwt-secret-file or --jwt-jwks`, [found], given),
    );
  }
  return {
    secretFile,
    jwks,
    algorithms: settings.jwtAlgorithm,
    audience: settings.jwtAudience,
    issuer: settings.jwtIssuer,
    nameClaim: settings.jwtNameClaim,
    rolesClaim: settings.jwtRolesClaim,
    clockSkewS: settings.jwtClockSkewS,
    cookie: settings.jwtCookie,
  };
}
