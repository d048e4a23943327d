/**
 * The packages as a registry would serve them: packed from this checkout, and given by name to any package manager
 * that has `@chat:registry` in its `.npmrc`. So ranges, peers and subpaths are resolved as they are for strangers.
 * Other packages come from the registry of this machine.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmOfThisNode } from '../npm-of-this-node.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCOPE = '@chat';

/**
 * Packs every package into `folder`, and serves it.
 *
 * @returns its address, the names of the packages, and `close`
 */
export async function serveTarballs(folder) {
  const packages = new Map(packAll(folder).map((packed) => [packed.manifest.name, packed]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://registry').pathname).slice(1);
    const tarball = [...packages.values()].find(({ file }) => path === `tarballs/${file}`);
    // Either all versions, or one of them: pnpm 12 asks for `latest` alone.
    const name = path.replace(/(?<=\/.*)\/latest$/, '');
    if (tarball) {
      response.end(tarball.bytes);
    } else if (packages.has(name)) {
      const all = document(packages.get(name), server.address().port);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(name === path ? all : all.versions[all['dist-tags'].latest]));
    } else {
      response.statusCode = 404;
      response.end('{}');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    names: [...packages.keys()],
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function packAll(folder) {
  mkdirSync(folder, { recursive: true });
  return readdirSync(join(ROOT, 'packages')).map((name) => {
    const cwd = join(ROOT, 'packages', name);
    const args = [npmOfThisNode(), 'pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const packed = JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }));
    // npm 12 answers with an object by name, the others with a list.
    const [{ filename }] = Object.values(packed);
    const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
    return { manifest, file: filename, bytes: readFileSync(join(folder, filename)) };
  });
}

/** What a registry answers to the name of a package: all versions of it, here one. */
function document({ manifest, file, bytes }, port) {
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  const dist = { tarball: `http://127.0.0.1:${port}/tarballs/${file}`, integrity };
  return {
    name: manifest.name,
    'dist-tags': { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist } },
  };
}

/** The lines of an `.npmrc` that lead to it. */
export function npmrcFor(url) {
  return `${SCOPE}:registry=${url}\n`;
}
