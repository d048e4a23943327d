/** The workspaces of this repository, read from their package.json, and the TypeScript in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

export interface Workspace {
  readonly name: string;
  /** Relative to the root, with slashes: `packages/protocol`. */
  readonly folder: string;
  readonly manifest: {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
    readonly peerDependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
    readonly exports?: Readonly<Record<string, unknown>>;
  };
}

export function workspacesIn(parent: 'packages' | 'apps'): Workspace[] {
  return readdirSync(join(ROOT, parent))
    .map((entry) => `${parent}/${entry}`)
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
    .map((folder) => {
      const manifest = JSON.parse(read(`${folder}/package.json`)) as Workspace['manifest'] & { name: string };
      return { name: manifest.name, folder, manifest };
    });
}

/** Paths below `folder` with this ending, relative to the root, with slashes; no dependencies, nothing built. */
export function filesBelow(folder: string, ending: string): string[] {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const below = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(below, ending);
    return entry.name.endsWith(ending) ? [below] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
}

const SKIPPED = new Set([
  'node_modules',
  'dist',
  '.turbo',
  '.git',
  'api',
  'reports',
  'test-output',
  'coverage',
]);
