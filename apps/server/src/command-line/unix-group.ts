/** Groups of the system by name. Node has no call for it, so it reads the file; a group from elsewhere has a number. */
import { readFileSync } from 'node:fs';

/**
 * The number of a group.
 *
 * @param group its name, or its number
 * @returns `undefined` when there is none of that name
 */
export function groupId(group: string, file = '/etc/group'): number | undefined {
  if (/^\d+$/.test(group)) return Number(group);
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  // name:password:number:members
  const fields = lines.map((line) => line.split(':')).find(([name]) => name === group);
  return fields?.[2] === undefined ? undefined : Number(fields[2]);
}
