import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShmError } from '../../src/errors.js';
import { addonPath, currentTarget, loadAddon } from '../../src/platform/addon.js';

const packageDir = fileURLToPath(new URL('../..', import.meta.url));
const prebuildsDir = join(packageDir, 'prebuilds');
const require = createRequire(import.meta.url);

interface Manifest {
  readonly 'mmap-io': string;
  readonly sourcesSha256: string;
  readonly addons: Record<
    string,
    {
      readonly bytes: number;
      readonly sha256: string;
      readonly compiler: string;
      readonly triedWith: readonly string[];
    }
  >;
}
const manifest = JSON.parse(readFileSync(join(prebuildsDir, 'manifest.json'), 'utf8')) as Manifest;

/** What of native/compile.mjs is used here. */
interface Building {
  readonly SHIPPED: readonly { readonly arch: string; readonly compiler: string }[];
  addonPath(target: { readonly platform: string; readonly arch: string }): string;
  addonHash(file: string): string;
  compile(how: object): void;
  compilerVersion(compiler: string): string | undefined;
  sourcesHash(mmapIoDir: string): string;
}
// @ts-expect-error the scripts that build addons are plain JavaScript
const building = (await import('../../native/compile.mjs')) as Building;

describe('loadAddon', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chat-shm-addon-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const pageOfFile = () => {
    const addon = loadAddon();
    const file = join(folder, 'page');
    writeFileSync(file, new Uint8Array(addon.PAGESIZE));
    return { addon, file };
  };

  it('maps one file twice so that both views see the same bytes', () => {
    const { addon, file } = pageOfFile();
    const fd = openSync(file, 'r+');
    const one = addon.map(addon.PAGESIZE, addon.PROT_READ | addon.PROT_WRITE, addon.MAP_SHARED, fd);
    const two = addon.map(addon.PAGESIZE, addon.PROT_READ, addon.MAP_SHARED, fd);
    one[100] = 7;
    expect(two[100]).toBe(7);
    expect(readFileSync(file)[100]).toBe(7);
  });

  it('gives each mapping an ArrayBuffer of its own, on which atomics work', () => {
    const { addon, file } = pageOfFile();
    const view = addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, openSync(file, 'r+'));
    expect([view.byteOffset, view.buffer.byteLength]).toEqual([0, addon.PAGESIZE]);
    const words = new Int32Array(view.buffer);
    expect(Atomics.add(words, 1, 5)).toBe(0);
    expect(Atomics.compareExchange(words, 1, 5, 9)).toBe(5);
    expect(readFileSync(file).readInt32LE(4)).toBe(9);
  });

  it.skipIf(process.platform !== 'linux')(
    'lets go of the file on unmap, and leaves a view that reaches nobody',
    () => {
      const { addon, file } = pageOfFile();
      const fd = openSync(file, 'r+');
      const view = addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, fd);
      const other = addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, fd);
      view[0] = 1;
      const mappings = () => readFileSync('/proc/self/maps', 'utf8').split(file).length - 1;
      expect(mappings()).toBe(2);
      addon.unmap(view);
      expect(mappings()).toBe(1);
      expect(view[0]).toBe(0);
      view[0] = 2;
      expect(other[0]).toBe(1);
    },
  );

  it.skipIf(process.platform !== 'linux')('gives addresses back, and leaves a view without elements', () => {
    const { addon, file } = pageOfFile();
    const view = addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, openSync(file, 'r+'));
    addon.unmap(view);
    addon.giveBack(view);
    expect(view.length).toBe(0);
    expect(view[0]).toBeUndefined();
    expect(() => addon.giveBack(view)).toThrow(TypeError);
    expect(() => addon.giveBack(new Uint8Array(64).subarray(1))).toThrow(TypeError);
  });

  it.skipIf(process.platform !== 'linux')('waits for a word of a file and wakes those who do', async () => {
    const { addon, file } = pageOfFile();
    const view = addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, openSync(file, 'r+'));
    const words = new Int32Array(view.buffer);
    expect(addon.futexWait(words, 1, 7, 1000)).toBe(1);
    expect(addon.futexWait(words, 1, 0, 1)).toBe(2);
    const code = `
      const { parentPort, workerData: [addonFile, file] } = require('node:worker_threads');
      const addon = require(addonFile);
      const fd = require('node:fs').openSync(file, 'r+');
      const words = new Int32Array(addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, fd).buffer);
      Atomics.store(words, 2, 1);
      parentPort.postMessage(addon.futexWait(words, 1, 0, -1));
    `;
    const addonFile = join(prebuildsDir, addonPath(currentTarget()));
    const worker = new Worker(code, { eval: true, workerData: [addonFile, file] });
    const outcome = once(worker, 'message');
    while (Atomics.load(words, 2) === 0) await new Promise(setImmediate);
    while (addon.futexWake(words, 1, 9) === 0) await new Promise(setImmediate);
    expect(await outcome).toEqual([0]);
    expect(() => addon.futexWait(words, 2 ** 20, 0, 0)).toThrow(TypeError);
  });

  it('refuses to unmap memory that is no mapping', () => {
    const { addon } = pageOfFile();
    expect(() => addon.unmap(new Uint8Array(64).subarray(1))).toThrow(TypeError);
    expect(() => addon.unmap('memory' as never)).toThrow(TypeError);
  });

  it('loads in a worker thread beside the main thread', async () => {
    const { file } = pageOfFile();
    const addonFile = ['native/build', 'prebuilds']
      .map((place) => join(packageDir, place, addonPath(currentTarget())))
      .find((path) => existsSync(path));
    const code = `
      const { workerData: [addonFile, file] } = require('node:worker_threads');
      const addon = require(addonFile);
      const fd = require('node:fs').openSync(file, 'r+');
      addon.map(addon.PAGESIZE, 3, addon.MAP_SHARED, fd)[8] = 21;
    `;
    const worker = new Worker(code, { eval: true, workerData: [addonFile, file] });
    expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
    expect(readFileSync(file)[8]).toBe(21);
  });

  const here = currentTarget();
  const codeOf = (target: Parameters<typeof loadAddon>[0]): { code: string; message: string } => {
    try {
      loadAddon(target);
    } catch (error) {
      if (ShmError.is(error)) return { code: error.code, message: error.message };
      throw error;
    }
    throw new Error('loaded');
  };

  it('names the platform and what to do, where no addon fits', () => {
    const { code, message } = codeOf({ ...here, platform: 'sunos', arch: 'sparc' });
    expect(code).toBe('ERR_SHM_ADDON_MISSING');
    expect(message).toContain('sunos-sparc');
    expect(message).toContain('npx chat-shm-build');
  });

  it('keeps the reason why an addon that is there does not load', () => {
    const file = join(folder, 'broken.node');
    writeFileSync(file, 'no addon');
    try {
      loadAddon(here, { module: undefined, named: file });
      expect.unreachable();
    } catch (error) {
      expect(ShmError.is(error) && error.code).toBe('ERR_SHM_ADDON_MISSING');
      expect(String((error as Error).cause)).toContain('broken.node');
    }
  });

  const messageOf = (target: typeof here, place: Parameters<typeof loadAddon>[1]): string => {
    try {
      loadAddon(target, place);
    } catch (error) {
      return ShmError.is(error) ? `${error.code} ${error.message}` : String(error);
    }
    return 'loaded';
  };
  const module = import.meta.url;

  it('says in a bundle what to keep out of it, whether the bundler knows where it is or not', () => {
    const beside = new URL('bundle.mjs', `file://${tmpdir()}/`).href;
    for (const place of [beside, undefined]) {
      const message = messageOf(here, { module: place, named: undefined });
      expect(message).toMatch(/^ERR_SHM_ADDON_MISSING no addon for .* is bundled/);
      expect(message).toContain('keep @chat/shm external');
      expect(message).toContain(`CHAT_SHM_ADDON to the path of prebuilds/${addonPath(here)}`);
      expect(message).not.toContain('chat-shm-build');
    }
  });

  it('names Deno and Bun where they are, and says that Node takes what they do not', () => {
    const text = fileURLToPath(import.meta.url);
    for (const runtime of ['Bun 1.4.5', 'Deno 2.9.6']) {
      const refused = messageOf({ ...here, runtime }, { module, named: text });
      expect(refused).toMatch(/^ERR_SHM_ADDON_MISSING the addon does not load on /);
      expect(refused).toContain(`, ${runtime}: CHAT_SHM_ADDON is ${text}`);
      const missing = messageOf({ ...here, platform: 'haiku', runtime }, { module, named: undefined });
      expect(missing).toContain(`no addon for haiku-${here.arch}, ${runtime}; build it with`);
    }
  });

  it('takes the addon that CHAT_SHM_ADDON names, and only that', () => {
    const file = join(prebuildsDir, addonPath(here));
    const own = existsSync(file) ? file : join(packageDir, 'native/build', addonPath(here));
    expect(messageOf(here, { module: undefined, named: own })).toBe('loaded');
    expect(messageOf(here, { module: undefined, named: relative(process.cwd(), own) })).toBe('loaded');
    const message = messageOf(here, { module, named: '/nowhere/x.node' });
    expect(message).toMatch(/^ERR_SHM_ADDON_MISSING .*: CHAT_SHM_ADDON is \/nowhere\/x\.node$/);
  });

  it('says that Windows and Electron are not supported', () => {
    expect(codeOf({ ...here, platform: 'win32' }).code).toBe('ERR_SHM_UNSUPPORTED');
    expect(codeOf({ ...here, electron: '33.0.0' }).code).toBe('ERR_SHM_UNSUPPORTED');
  });
});

describe('prebuilt addons', () => {
  it('cover both CPUs, were tried with each major of Node, and are the files that the manifest lists', () => {
    const names = Object.keys(manifest.addons);
    expect(names).toEqual(['linux-x64/chat-shm.node', 'linux-arm64/chat-shm.node']);
    const files = readdirSync(prebuildsDir, { encoding: 'utf8', recursive: true });
    expect(files.filter((file) => file.endsWith('.node')).sort()).toEqual([...names].sort());
    for (const name of names) {
      const { sha256: expected, triedWith } = manifest.addons[name] ?? { triedWith: [] };
      expect(building.addonHash(join(prebuildsDir, name)), name).toBe(expected);
      // npm has no arm64 Node of 25.
      const majors = name.includes('arm64') ? ['20', '22', '24', '26'] : ['20', '22', '24', '25', '26'];
      expect(triedWith.map((version) => version.split('.')[0])).toEqual(majors);
    }
  });

  it('need no library, so that they load with glibc and with musl', () => {
    for (const name of Object.keys(manifest.addons)) {
      const text = readFileSync(join(prebuildsDir, name), 'latin1');
      expect(text.match(/\0(lib[a-z+]+\.so[.0-9]*|GLIBC[X_.0-9]+)(?=\0)/g), name).toBeNull();
    }
  });

  it('are not older than their sources', () => {
    const mmapIo = require.resolve('mmap-io/package.json');
    expect(JSON.parse(readFileSync(mmapIo, 'utf8')).version).toBe(manifest['mmap-io']);
    expect(building.sourcesHash(dirname(mmapIo)), 'run: npm run prebuilds -w @chat/shm').toBe(
      manifest.sourcesSha256,
    );
  });

  it.each(building.SHIPPED)('have the name by which the loader looks for them: $arch', ({ arch }) => {
    const target = { platform: 'linux', arch };
    expect(building.addonPath(target)).toBe(addonPath(target));
    expect(Object.keys(manifest.addons)).toContain(addonPath(target));
  });

  for (const { arch, compiler } of building.SHIPPED) {
    const name = addonPath({ platform: 'linux', arch });
    const { compiler: madeBy, sha256: expected } = manifest.addons[name] ?? {};
    const found = building.compilerVersion(compiler);
    const isHere = found === madeBy;
    if (!isHere) process.stderr.write(`skipped: ${name} is made by ${madeBy}, here is ${found}\n`);

    it.runIf(isHere)(`are made again, byte by byte, by the compiler that the manifest names: ${arch}`, () => {
      const outFile = join(mkdtempSync(join(tmpdir(), 'chat-shm-again-')), 'chat-shm.node');
      const folderOf = (dependency: string) => dirname(require.resolve(`${dependency}/package.json`));
      const sources = {
        mmapIoDir: folderOf('mmap-io'),
        headersDir: join(folderOf('node-api-headers'), 'include'),
      };
      try {
        building.compile({ sources, compiler, platform: 'linux', arch, outFile });
        expect(building.addonHash(outFile)).toBe(expected);
      } finally {
        rmSync(dirname(outFile), { recursive: true });
      }
    });
  }

  it('lie beside the licence of what they contain', () => {
    expect(existsSync(join(prebuildsDir, 'LICENSE.mmap-io'))).toBe(true);
  });
});
