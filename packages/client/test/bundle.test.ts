/**
 * The bytes that a web page loads for this package with the JSON codec, minified and compressed, as a bundler that
 * splits makes it of the sources: at first, and later with each part that is fetched when it is needed.
 *
 * The first load is to be 12 KB (12,288 bytes), and is more. A page needs the rest of it to talk, or to come back when its
 * connection is lost: then nothing can be fetched.
 *
 * The budgets are a little above what it takes today. A change that exceeds one leaves something out, moves it into a
 * part (`src/lazy/load.ts` says how), or finds what is said twice.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Of the client, before it can do anything. */
const MAX_FIRST_BYTES = 15_150;
/** Of the parts, by the names of their modules. */
const MAX_PART_BYTES: Readonly<Record<string, number>> = {
  // For pages with a transport of their own.
  'connection/cutter': 350,
  'rooms/on-demand': 850,
};

interface Output {
  readonly entryPoint?: string;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

// Inside the repository, where the packages resolve.
const folder = mkdtempSync(fileURLToPath(new URL('../../../node_modules/.client-bundle-', import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let outputs: ReadonlyMap<string, Output>;
const codeOf = (file: string): string => readFileSync(join(folder, file), 'utf8');
const bytesOf = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(codeOf(file)).length, 0);

/** The file, and those that are fetched together with it. */
function withImports(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path, kind } of outputs.get(file)!.imports) {
    if (kind === 'import-statement') withImports(basename(path), found);
  }
  return found;
}

/** The files of parts, by the names of their modules. */
const parts = (): Map<string, string> =>
  new Map(
    [...outputs].flatMap(([file, { entryPoint = '' }]) => {
      const [, module] = /client\/src\/(.*)\.ts$/.exec(entryPoint) ?? [];
      return module === undefined ? [] : [[module, file] as const];
    }),
  );

beforeAll(async () => {
  const entry = join(folder, 'entry.ts');
  writeFileSync(
    entry,
    "export { connect, createChatClient } from '@chat/client';\nexport { jsonCodec } from '@chat/protocol';\n",
  );
  await build({
    entry: [entry],
    outDir: folder,
    config: false,
    format: ['esm'],
    target: 'es2022',
    platform: 'browser',
    minify: true,
    metafile: true,
    noExternal: [/.*/],
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@chat/source', 'browser'];
    },
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const { outputs: made } = JSON.parse(codeOf('metafile-esm.json')) as { outputs: Record<string, Output> };
  outputs = new Map(Object.entries(made).map(([path, output]) => [basename(path), output]));
}, 60_000);

describe('the bundle for a web page', () => {
  it('fits its budget at first', () => {
    const bytes = bytesOf(withImports('entry.js'));
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_BYTES);
    expect(bytes).toBeGreaterThan(MAX_FIRST_BYTES / 2);
  });

  it('has these parts, each within its budget, and needs nothing else for one', () => {
    const first = withImports('entry.js');
    const weights = [...parts()].map(([module, file]) => {
      const more = [...withImports(file)].filter((other) => !first.has(other));
      return [module, more.length, bytesOf(more) <= (MAX_PART_BYTES[module] ?? 0)];
    });
    expect(weights.sort()).toEqual(Object.keys(MAX_PART_BYTES).map((module) => [module, 1, true]));
    // What a part shares with the client is given to it: in a third file both would be larger.
    expect([...first]).toEqual(['entry.js']);
  });

  it('needs nothing of Node', () => {
    for (const file of outputs.keys()) {
      expect(codeOf(file)).not.toMatch(/["']node:|\brequire\(|\bBuffer\b|\bprocess\b/);
    }
  });

  it('tries again to fetch a part that could not be fetched', async () => {
    const part = join(folder, parts().get('rooms/on-demand')!);
    const { createChatClient } = (await import(pathToFileURL(join(folder, 'entry.js')).href)) as {
      createChatClient: typeof import('../src/browser.js').createChatClient;
    };
    const client = createChatClient('ws://127.0.0.1:1', { name: 'ada' });
    renameSync(part, `${part}.away`);
    await expect(client.rooms()).rejects.toMatchObject({ code: 'ERR_CLIENT_LOAD_FAILED' });
    renameSync(`${part}.away`, part);
    const asked = client.rooms({ signal: AbortSignal.abort(new Error('enough')) });
    await expect(asked).rejects.toThrow('enough');
  });
});
