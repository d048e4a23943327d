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

/** The names of a list with commas between them. */
export type Listed<List extends string> = List extends `${infer Name},${infer Rest}`
  ? Name | Listed<Rest>
  : List;

/** A list of names with commas between them, if it has all of these names and no other. A list takes less than a table. */
export type AllNames<Name extends string, List extends string> = [Name] extends [Listed<List>]
  ? [Listed<List>] extends [Name]
    ? List
    : never
  : never;
