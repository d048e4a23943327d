/** The dependency rule: who may know whom, from the manifests and from what the sources import. */
import { describe, expect, it } from 'vitest';
import { filesBelow, read, type Workspace, workspacesIn } from './support/workspaces.js';

const packages = workspacesIn('packages');
const apps = workspacesIn('apps');
const ours = new Set([...packages, ...apps].map(({ name }) => name));

/** What each package may import of ours. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  '@chat/protocol': [],
  '@chat/server': ['@chat/protocol'],
  // By its own name for React, so that a page gets the build for browsers.
  '@chat/client': ['@chat/protocol', '@chat/client'],
  '@chat/shm': [],
};

/** `@scope/name` or `name` of an import; `undefined` for a relative one. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.')) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function importsOf(path: string): string[] {
  // Comments go first: the examples of TSDoc may import what the code may not.
  const code = read(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const pattern = /\b(?:from|import|require)\s*\(?\s*(['"])([^'"\n]+)\1/g;
  return [...code.matchAll(pattern)].map(([, , specifier]) => specifier!);
}

function declared({ manifest }: Workspace): string[] {
  return Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  });
}

describe('the dependency rule', () => {
  it('speaks of every package there is', () => {
    expect(packages.map(({ name }) => name).sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it.each(packages)('$name declares nothing of ours that it may not know', (workspace) => {
    const { name, manifest } = workspace;
    const known = [...declared(workspace), ...Object.keys(manifest.devDependencies ?? {})];
    expect(
      known.filter((dependency) => ours.has(dependency) && !ALLOWED[name]!.includes(dependency)),
    ).toEqual([]);
  });

  it.each(packages)('$name imports nothing of ours that it may not know', ({ name, folder }) => {
    const sources = filesBelow(`${folder}/src`, '.ts');
    expect(sources.length).toBeGreaterThan(0);
    const broken = sources.flatMap((path) =>
      importsOf(path)
        .filter((specifier) => {
          const dependency = packageOf(specifier);
          return dependency !== undefined && ours.has(dependency) && !ALLOWED[name]!.includes(dependency);
        })
        .map((specifier) => `${path} imports ${specifier}`),
    );
    expect(broken).toEqual([]);
  });

  it.each([...packages, ...apps])('$name imports nothing from beyond its folder by a path', ({ folder }) => {
    const broken = filesBelow(`${folder}/src`, '.ts').flatMap((path) => {
      const up = path.split('/').length - folder.split('/').length - 1;
      return importsOf(path)
        .filter((specifier) => specifier.startsWith('../'.repeat(up + 1)))
        .map((specifier) => `${path} imports ${specifier}`);
    });
    expect(broken).toEqual([]);
  });

  it.each(packages)('$name imports at run time only what it declares', (workspace) => {
    const { folder } = workspace;
    const known = new Set([...declared(workspace), workspace.name]);
    const broken = filesBelow(`${folder}/src`, '.ts').flatMap((path) =>
      importsOf(path)
        .filter((specifier) => {
          const dependency = packageOf(specifier);
          if (dependency === undefined || specifier.startsWith('node:') || known.has(dependency))
            return false;
          return !BUNDLED.has(`${workspace.name} ${dependency}`);
        })
        .map((specifier) => `${path} imports ${specifier}`),
    );
    expect(broken).toEqual([]);
  });

  it('lets the protocol and the browser client import nothing of Node', () => {
    const browser = [...filesBelow('packages/protocol/src', '.ts'), 'packages/client/src/browser.ts'];
    const broken = browser.filter((path) =>
      importsOf(path).some((specifier) => specifier.startsWith('node:')),
    );
    expect(broken).toEqual([]);
  });
});

// Built into the package by its bundler instead of being installed with it.
const BUNDLED = new Set(['@chat/shm mmap-io', '@chat/protocol @msgpack/msgpack']);
