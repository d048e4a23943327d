/** The pages people read: links lead somewhere, commands exist, and no page outgrows its reader. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, ROOT, read, workspacesIn } from './support/workspaces.js';

const workspaces = [...workspacesIn('packages'), ...workspacesIn('apps')];
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'examples/README.md',
  ...filesBelow('docs', '.md'),
  ...[...workspacesIn('packages'), ...workspacesIn('apps')].flatMap(({ folder }) =>
    filesBelow(folder, 'README.md'),
  ),
];

/** The anchor that a heading gets on the web: lower case, words joined by dashes. */
function anchorsOf(page: string): Set<string> {
  const headings = [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** A page without its fenced blocks, whose `#` and brackets mean something else. */
function prose(page: string): string {
  return read(page).replace(/^(```|~~~)[\s\S]*?^\1$/gm, '');
}

describe('the documents', () => {
  it.each(pages.map((page) => [page] as const))('%s has no link that leads nowhere', (page) => {
    const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const broken = links
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path, anchor] = target.split('#') as [string, string?];
        const file = path === '' ? page : join(dirname(page), path).replaceAll('\\', '/');
        if (!existsSync(join(ROOT, file))) return true;
        return anchor !== undefined && !anchorsOf(file).has(anchor);
      });
    expect(broken).toEqual([]);
  });

  it.each([
    ['README.md', 150],
    ...workspacesIn('packages').map(({ folder }) => [`${folder}/README.md`, 200] as const),
  ] as const)('%s has at most %d lines', (page, maxLines) => {
    expect(read(page).trimEnd().split('\n').length).toBeLessThanOrEqual(maxLines);
  });

  it('all stand on the page that begins the site, and nowhere else is their order', () => {
    const listed = [...read('docs/README.md').matchAll(/\]\(([^)\s]+\.md)\)/g)].map(([, target]) =>
      join('docs', target!).replaceAll('\\', '/'),
    );
    const own = filesBelow('docs', '.md').filter((page) => !/^docs\/(README\.md|decisions\/)/.test(page));
    expect(own.filter((page) => !listed.includes(page))).toEqual([]);
  });

  it('name no npm script that does not exist', () => {
    const manifests = ['.', 'examples/bot', ...workspaces.map(({ folder }) => folder)].map(
      (folder) => JSON.parse(read(`${folder}/package.json`)) as { scripts?: Record<string, string> },
    );
    const known = new Set(manifests.flatMap(({ scripts }) => Object.keys(scripts ?? {})));
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:-]+)/g)]
        .filter(([, script]) => !known.has(script!))
        .map(([, script]) => `${page}: npm run ${script}`),
    );
    expect(unknown).toEqual([]);
  });

  it('have every section of docs/protocol.md that a source quotes', () => {
    const headings = new Set(
      [...read('docs/protocol.md').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading),
    );
    const sources = workspaces.flatMap(({ folder }) => filesBelow(`${folder}/src`, '.ts'));
    const quoted = sources.flatMap((path) =>
      [...read(path).matchAll(/protocol\.md, "([^"]+)"/g)].map(([, heading]) => `${path}: ${heading}`),
    );
    expect(quoted.length).toBeGreaterThan(0);
    expect(quoted.filter((quote) => !headings.has(quote.split(': ')[1]))).toEqual([]);
  });

  it('promise the two commands', () => {
    for (const command of ['npm ci && npm start', 'npm ci && npm test']) {
      expect(read('README.md').split('\n')).toContain(command);
    }
  });

  it.each([['docs/reliability.md'], ['docs/architecture.md']])('%s names files that exist', (page) => {
    const named = [...read(page).matchAll(/`((?:packages|apps|test)\/[\w./*-]+)`/g)].map(([, path]) => path!);
    const isThere = (path: string): boolean => existsSync(join(ROOT, path.replace(/\/\*\S*$/, '')));
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });
});
