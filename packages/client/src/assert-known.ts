/**
 * Checks the names of options and events, in every call of this package. One that does not exist is a
 * mistake of the caller, and the error names it. In Node `option-names.ts` adds the name that was likely
 * meant.
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
