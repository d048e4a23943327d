/**
 * What users get: each package is packed, installed from its tarball into an empty folder elsewhere, and used from
 * ESM, CommonJS and TypeScript. Needs the packages built, as `npm test` has done.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmOfThisNode } from '../scripts/npm-of-this-node.mjs';
import { ROOT, workspacesIn } from './support/workspaces.js';

const run = promisify(execFile);
const packages = workspacesIn('packages');
const folder = mkdtempSync(join(tmpdir(), 'chat-packed-'));

/** npm beside this Node, as a script: started by its name it would need a shell on Windows. */
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [npmOfThisNode(), ...args], { cwd, maxBuffer: 1 << 26 });
  return stdout;
}

beforeAll(async () => {
  for (const { name, folder: path } of packages) {
    if (!existsSync(join(ROOT, path, 'dist')))
      throw new Error(`${name} is not built: run "npm run build" first`);
  }
  await Promise.all(
    packages.map(({ folder: path }) =>
      npm(join(ROOT, path), 'pack', '--silent', '--pack-destination', folder),
    ),
  );
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user', private: true, type: 'module' }),
  );
  const tarballs = readdirSync(folder).filter((entry) => entry.endsWith('.tgz'));
  expect(tarballs).toHaveLength(packages.length);
  await npm(
    folder,
    'install',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...tarballs.map((tarball) => `./${tarball}`),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

/** Runs a file with this code in the folder, by Node itself; answers what it prints. */
async function runFile(name: string, code: string): Promise<string> {
  writeFileSync(join(folder, name), code);
  const { stdout } = await run(process.execPath, [name], { cwd: folder, timeout: 60_000 });
  return stdout.trim();
}

const CHAT = `
  const server = createChatServer();
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const ada = await connect('tcp://127.0.0.1:' + port, { name: 'ada' });
  const bob = await connect('tcp://127.0.0.1:' + port, { name: 'bob' });
  const messages = (await bob.join('lobby')).messages();
  await (await ada.join('lobby')).send('hello');
  for await (const message of messages) {
    console.log(message.sender.name + ': ' + message.value);
    break;
  }
  await Promise.all([ada.close(), bob.close()]);
  await server.close();
`;

const FRAME = `
  const decoder = new FrameDecoder();
  decoder.push(encodeFrame({ type: FrameType.Ping, nonce: 7 }));
  console.log(decoder.next(), decoder.frame().nonce);
`;

describe('the packed packages', () => {
  it.each(packages.map(({ name, folder: path }) => [name, path] as const))(
    '%s holds what it needs, and nothing of its tests',
    async (name, path) => {
      const installed = join(folder, 'node_modules', ...name.split('/'));
      expect(readdirSync(installed)).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json']),
      );
      const [{ files }] = JSON.parse(await npm(join(ROOT, path), 'pack', '--dry-run', '--json')) as [
        { files: { path: string }[] },
      ];
      const unwanted = /(^|\/)(test|node_modules|test-output)\/|\.test\.|tsbuildinfo|tsconfig|\.tgz$/;
      expect(files.map((file) => file.path).filter((file) => unwanted.test(file))).toEqual([]);
    },
  );

  it.each(packages.map(({ name }) => [name] as const))(
    '%s has the same exports from ESM and CommonJS',
    async (name) => {
      const list = 'console.log(JSON.stringify(Object.keys(api).filter((key) => key !== "default").sort()));';
      const esm = await runFile('names.mjs', `import * as api from '${name}';\n${list}`);
      const cjs = await runFile('names.cjs', `const api = require('${name}');\n${list}`);
      expect(JSON.parse(esm)).not.toEqual([]);
      expect(JSON.parse(cjs)).toEqual(JSON.parse(esm));
    },
  );

  // As a bundler resolves it, or Jest with jsdom, which requires what browsers import.
  it('@chat/client gives browsers a build of their own, from ESM and CommonJS', async () => {
    const names = 'console.log(Object.keys(api).filter((key) => key !== "default").sort().join(" "))';
    writeFileSync(
      join(folder, 'browser.mjs'),
      `import * as api from '@chat/client';\n${names};\nconsole.log(import.meta.resolve('@chat/client'));\n`,
    );
    writeFileSync(
      join(folder, 'browser.cjs'),
      `const api = require('@chat/client');\n${names};\nconsole.log(require.resolve('@chat/client'));\n`,
    );
    for (const [file, build] of [
      ['browser.mjs', 'browser.js'],
      ['browser.cjs', 'browser.cjs'],
    ] as const) {
      const { stdout } = await run(process.execPath, ['--conditions=browser', file], { cwd: folder });
      const [exported, resolved] = stdout.trim().split('\n');
      expect(exported).toBe('ClientError ClientErrorCode connect createChatClient tabIdentity');
      expect(basename(resolved!)).toBe(build);
    }
  });

  it('decode a frame from ESM and CommonJS', async () => {
    const names = '{ encodeFrame, FrameDecoder, FrameType }';
    expect(await runFile('frame.mjs', `import ${names} from '@chat/protocol/frames';${FRAME}`)).toBe(
      'true 7',
    );
    expect(await runFile('frame.cjs', `const ${names} = require('@chat/protocol/frames');${FRAME}`)).toBe(
      'true 7',
    );
  });

  it('chat from ESM and CommonJS, and the process ends by itself', async () => {
    const esm = `import { createChatServer } from '@chat/server';\nimport { connect } from '@chat/client';\n${CHAT}`;
    expect(await runFile('chat.mjs', esm)).toBe('ada: hello');
    const cjs = `const { createChatServer } = require('@chat/server');\nconst { connect } = require('@chat/client');\n(async () => {${CHAT}})();`;
    expect(await runFile('chat.cjs', cjs)).toBe('ada: hello');
  });

  /** What the compiler says to a file of a strict project that checks declarations too; nothing is fine. */
  async function compile(files: Readonly<Record<string, string>>, options: object): Promise<string> {
    for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, target: 'ES2022', ...options },
        files: Object.keys(files),
      }),
    );
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [tsc, '-p', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
  }

  it('compile in a strict project without skipLibCheck, from ESM and CommonJS', async () => {
    const code = packages
      .map(
        ({ name }, index) =>
          `import * as api${index} from '${name}';\nexport type A${index} = typeof api${index};\n`,
      )
      .join('');
    const output = await compile(
      { 'types.mts': code, 'types.cts': code },
      {
        lib: ['ES2022'],
        module: 'NodeNext',
        types: ['node'],
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
    );
    expect(output).toBe('');
  });

  it.each([[[]], [['browser']]])(
    'compile in a web project that has no types of Node, with the conditions %j',
    async (customConditions) => {
      const code =
        "import { connect } from '@chat/client';\n" +
        "import { createTimeline } from '@chat/client/timeline';\n" +
        "import { msgpackCodec } from '@chat/protocol/msgpack';\n" +
        'export async function first(): Promise<unknown> {\n' +
        "  await using client = await connect('wss://chat.example', { name: 'ada' });\n" +
        "  const room = await client.join('lobby', { codec: msgpackCodec });\n" +
        '  createTimeline(room).close();\n' +
        '  for await (const { value } of room.messages()) return value;\n' +
        '  return undefined;\n' +
        '}\n';
      const options = { lib: ['ES2022', 'DOM'], module: 'ESNext', moduleResolution: 'bundler', types: [] };
      expect(await compile({ 'web.ts': code }, { ...options, customConditions })).toBe('');
    },
  );

  it('are found by the old resolution of modules, subpaths too', async () => {
    const code =
      "import { msgpackCodec } from '@chat/protocol/msgpack';\n" +
      "import { createTimeline } from '@chat/client/timeline';\n" +
      'export const tag: number = msgpackCodec.tag;\nexport { createTimeline };\n';
    const options = { lib: ['ES2022', 'DOM'], module: 'CommonJS', moduleResolution: 'node10', types: [] };
    expect(await compile({ 'old.ts': code }, { ...options, ignoreDeprecations: '6.0' })).toBe('');
  });

  it('@chat/client gives React Native the build for browsers', async () => {
    writeFileSync(join(folder, 'native.cjs'), "console.log(require.resolve('@chat/client'));\n");
    writeFileSync(join(folder, 'native.mjs'), "console.log(import.meta.resolve('@chat/client'));\n");
    for (const [file, build] of [
      ['native.cjs', 'browser.cjs'],
      ['native.mjs', 'browser.js'],
    ] as const) {
      const { stdout } = await run(process.execPath, ['--conditions=react-native', file], { cwd: folder });
      expect(basename(stdout.trim())).toBe(build);
    }
  });

  it('@chat/protocol/msgpack works with nothing installed beside it, and brings the licence of its library', async () => {
    const code = 'console.log(msgpackCodec.decode(msgpackCodec.encode({ x: 1 })).x);';
    expect(await runFile('pack.mjs', `import { msgpackCodec } from '@chat/protocol/msgpack';${code}`)).toBe(
      '1',
    );
    expect(
      await runFile('pack.cjs', `const { msgpackCodec } = require('@chat/protocol/msgpack');${code}`),
    ).toBe('1');
    expect(existsSync(join(folder, 'node_modules/@msgpack'))).toBe(false);
    const licence = join(folder, 'node_modules/@chat/protocol/dist/codecs/msgpack.LICENSE');
    expect(readFileSync(licence, 'utf8')).toContain('Permission to use, copy, modify');
  });

  it.each(packages.map(({ name }) => [name] as const))(
    '%s has its sources once: its maps lead to them instead of repeating them',
    (name) => {
      const installed = join(folder, 'node_modules', ...name.split('/'));
      const maps = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
        (file) => file.endsWith('.map'),
      );
      expect(maps).not.toEqual([]);
      for (const file of maps) {
        const path = join(installed, 'dist', file);
        const map = JSON.parse(readFileSync(path, 'utf8')) as {
          sources: string[];
          sourcesContent?: unknown;
        };
        expect(map.sourcesContent, file).toBeUndefined();
        const own = map.sources.filter((source) => !source.includes('node_modules/'));
        expect(own.filter((source) => !existsSync(join(dirname(path), source)))).toEqual([]);
      }
    },
  );

  it('name no dependency that a user would have to build', () => {
    for (const { name } of packages) {
      const manifest = JSON.parse(
        readFileSync(join(folder, 'node_modules', ...name.split('/'), 'package.json'), 'utf8'),
      ) as { scripts?: Record<string, string> };
      expect(Object.keys(manifest.scripts ?? {}).filter((script) => /install|prepare/.test(script))).toEqual(
        [],
      );
    }
  });
});
