/** What the options of the program say of who may come in. */
import type { Settings } from '../command-line/options.js';
import { type SourcedSettings, withPlaces } from '../command-line/settings.js';
import { UsageError } from '../command-line/usage-error.js';
import { accountFileIn } from './account-file.js';
import type { PeopleOptions } from './people.js';

/** @returns undefined where nobody is asked who they are @throws UsageError */
export function peopleOptions(given: SourcedSettings): PeopleOptions | undefined {
  const { data, accounts, passwordFile, guests } = given.settings;
  const refuse = (message: string, ...names: (keyof Settings)[]): never => {
    throw new UsageError(withPlaces(message, names, given));
  };
  const accountFile = accounts ?? (data === undefined ? undefined : accountFileIn(data));
  if (guests === 'on' && passwordFile !== undefined) {
    const message = '--guests on would let those in who do not have the password of --password-file';
    refuse(message, 'guests', 'passwordFile');
  }
  if (accountFile === undefined && passwordFile === undefined) {
    if (guests !== 'off') return undefined;
    refuse('--guests off needs --data, --accounts or --password-file: nobody could come in', 'guests');
  }
  const isOpen = guests === undefined ? passwordFile === undefined : guests === 'on';
  return { accountFile, passwordFile, guests: isOpen };
}
