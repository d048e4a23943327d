/**
 * Makes a folder, and those above it that are missing.
 *
 * Node's own `recursive` never returns where a folder is there and nothing can be made in it for want of an entry, as in
 * `/proc`: it asks for the parent again and again.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Only the user of the process may look into what is made. @throws the system's error */
export function makeFolder(path: string): void {
  const folder = resolve(path);
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
