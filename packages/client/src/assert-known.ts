/**
 * The check that every call of this package makes of its options, and of the names of events: what does not
 * exist is a mistake, and says so. In Node `option-names.ts` says also what was likely meant.
 */

/**
 * @param known - the names that exist, with commas between: one string is the shortest in a page
 * @throws TypeError that names the first one which does not exist, and those that do
 */
export function assertKnown(known: string, given: object = {}, what = 'option'): void {
  for (const name of Object.keys(given)) {
    if (!known.split(',').includes(name)) throw new TypeError(`unknown ${what} "${name}", there is ${known}`);
  }
}
