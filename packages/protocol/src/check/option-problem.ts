/**
 * Options that nobody reads are mistakes: `{ prot: 0 }` opens the default port without a word. This finds the first
 * one, and the name that was likely meant, so that each package can refuse it with an error of its own.
 *
 * Likely is what is few edits away, a transposition counting as one (optimal string alignment; Damerau, "A technique
 * for computer detection and correction of spelling errors", Communications of the ACM, 1964).
 */

/** The names of the options in `T`, as a table that the compiler keeps complete. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** So many names are listed where none is like the unknown one. */
const FEW_NAMES = 8;

/**
 * Tells what is wrong with the names of options. Looks at own enumerable properties, also at those whose value is
 * `undefined`.
 *
 * @param options - what a caller passed
 * @param names - the options that exist; only the keys matter
 * @param group - where they belong: `reconnect` for `options.reconnect`, `listen` for those of a method
 * @returns a sentence for people, or `undefined` when nothing is wrong
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { type OptionNames, optionProblem } from '@chat/protocol/check';
 *
 * interface Options {
 *   readonly host?: string;
 *   readonly port?: number;
 * }
 * const NAMES: OptionNames<Options> = { host: true, port: true };
 * assert.equal(optionProblem({ port: 0 }, NAMES), undefined);
 * assert.equal(optionProblem({ prot: 0 }, NAMES), 'unknown option "prot"; did you mean "port"?');
 * ```
 */
export function optionProblem(
  options: unknown,
  names: Readonly<Record<string, unknown>>,
  group = '',
): string | undefined {
  const known = Object.keys(names);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return `the options${group && ` of ${group}`} must be an object, not ${kindOf(options)}`;
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const maker: unknown = options.constructor;
  if (typeof maker === 'function' && maker.name !== 'Object') {
    return `the options${group && ` of ${group}`} must be a plain object, not a ${maker.name}: it has "${unknown}"`;
  }
  const path = group && `${group}.`;
  const meant = closest(unknown, known);
  if (meant !== undefined) return `unknown option "${path}${unknown}"; did you mean "${path}${meant}"?`;
  const list = known.length <= FEW_NAMES ? `; there is ${known.join(', ')}` : '';
  return `unknown option "${path}${unknown}"${list}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return `a ${typeof value}`;
}

/** The name that is the fewest edits away: at most a third of what was written, and one for short names. */
function closest(written: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of names) {
    const edits = editsBetween(written.toLowerCase(), name.toLowerCase());
    if (edits < least) [least, best] = [edits, name];
  }
  return best ?? names.find((name) => beginsOrEndsWith(name.toLowerCase(), written.toLowerCase()));
}

/** `timeout` is meant for `timeoutMs`, `frameBytes` for `maxFrameBytes`. */
function beginsOrEndsWith(name: string, part: string): boolean {
  return part.length > 3 && (name.startsWith(part) || name.endsWith(part));
}

/** Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a`. */
function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
