/** Another name for somebody whose name is taken: the same with a number behind it. */
import { userNameProblem } from '../names/names.js';

/** Names that are tried for one whose name is taken: a few in order, then random ones with more and more digits. */
const MAX_SUFFIXES = 30;
const ORDERED_SUFFIXES = 9;

/** `name-2`, `name-3` … or the like, whatever is free and a name; as much of `name` as there is space for. */
export function suffixed(
  name: string,
  random: () => number,
  isFree: (name: string) => boolean,
): string | undefined {
  for (let i = 2; i < MAX_SUFFIXES; i++) {
    const digits = Math.max(2, Math.ceil(i / 3));
    const number = i <= ORDERED_SUFFIXES ? i : 10 + Math.floor(random() * 10 ** digits);
    const letters = [...name];
    while (letters.length > 0) {
      const candidate = `${letters.join('').trimEnd()}-${number}`;
      if (!userNameProblem(candidate)) {
        if (isFree(candidate)) return candidate;
        break;
      }
      letters.pop();
    }
  }
  return undefined;
}
