/** What npm, and who looks for a package there, is told: every published manifest, and what lies in its tarball. */
import { describe, expect, it } from 'vitest';
import { read, workspacesIn } from './support/workspaces.js';

interface Manifest {
  readonly name: string;
  readonly author?: string;
  readonly homepage?: string;
  readonly bugs?: string;
  readonly license?: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly files?: readonly string[];
  readonly repository?: { readonly directory?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly typesVersions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

const packages = workspacesIn('packages').map(({ folder }) => ({
  folder,
  manifest: JSON.parse(read(`${folder}/package.json`)) as Manifest,
}));

describe.each(packages)('$folder/package.json', ({ folder, manifest }) => {
  it('says who made it, where it lives, and what it is about', () => {
    expect(manifest).toMatchObject({ license: 'MIT', author: 'the chat authors' });
    expect(manifest.homepage).toContain(`/tree/main/${folder}#readme`);
    expect(manifest.bugs).toMatch(/\/issues$/);
    expect(manifest.repository?.directory).toBe(folder);
    expect(manifest.description).not.toBe('');
    expect(manifest.keywords?.length).toBeGreaterThan(5);
  });

  it('puts the changelog and the sources into the tarball, to which the maps lead', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', 'CHANGELOG.md']));
  });

  it('takes any version of the other packages that is compatible', () => {
    const ours = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@chat/'));
    expect(ours.filter(([, range]) => !range.startsWith('^'))).toEqual([]);
  });

  it('has types for every subpath under the old resolution of modules, too', () => {
    const subpaths = Object.keys(manifest.exports)
      .filter((path) => path !== '.' && path !== './package.json')
      .map((path) => path.slice('./'.length));
    expect(Object.keys(manifest.typesVersions?.['*'] ?? {})).toEqual(subpaths);
  });

  it('names the types of Node where its own need them', () => {
    const needsNode = ['packages/server', 'packages/shm'].includes(folder);
    expect(manifest.peerDependencies?.['@types/node'] !== undefined).toBe(needsNode);
    for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
      expect(manifest.peerDependenciesMeta?.[peer]?.optional, peer).toBe(true);
    }
  });
});
