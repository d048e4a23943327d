/**
 * What browsers, React Native and test environments load evaluates where little is there: no TextEncoder (Jest with
 * jsdom), no Intl.Segmenter (Hermes, older Firefox), no crypto, no WebSocket, no timers. What needs one of them says so
 * when it is called. Needs the packages built, as `npm test` has done.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/workspaces.js';

interface Manifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every built entry that is not for Node alone, as CommonJS: the module system that needs nothing of the context. */
const ENTRIES = ['protocol', 'client'].flatMap((name) => {
  const { exports } = JSON.parse(
    readFileSync(join(ROOT, `packages/${name}/package.json`), 'utf8'),
  ) as Manifest;
  return Object.entries(exports).flatMap(([subpath, conditions]) => {
    if (subpath === './package.json') return [];
    const { require } = (conditions['react-native'] ?? conditions) as { require: { default: string } };
    return [[`@chat/${name}${subpath.slice(1)}`, join(ROOT, `packages/${name}`, require.default)] as const];
  });
});

/** What others need when they are loaded. */
const NEEDED: Readonly<Record<string, object>> = {
  // The MessagePack library, which is in there.
  '@chat/protocol/msgpack': { TextEncoder, TextDecoder },
  // React, whose bundlers put something in its place.
  '@chat/client/react': { process: { env: { NODE_ENV: 'production' } } },
};

/** Loads an entry, and what it requires, into a context that has the language and nothing else. */
function loadBare(name: string, file: string): Record<string, unknown> {
  const context = createContext({ ...NEEDED[name] });
  runInContext('delete Intl.Segmenter;', context);
  const loaded = new Map<string, { exports: Record<string, unknown> }>();
  const load = (path: string): Record<string, unknown> => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const module = { exports: {} as Record<string, unknown> };
    loaded.set(path, module);
    const resolve = createRequire(path).resolve;
    const require = (specifier: string): Record<string, unknown> => {
      expect(specifier).not.toMatch(/^node:/);
      const entry = ENTRIES.find(([name]) => name === specifier)?.[1];
      return load(entry ?? resolve(specifier));
    };
    const wrapped = `(function (module, exports, require, __dirname) { ${readFileSync(path, 'utf8')}\n})`;
    runInContext(wrapped, context, { filename: path })(module, module.exports, require, dirname(path));
    return module.exports;
  };
  return load(file);
}

describe('in a context with the language alone', () => {
  it.each(ENTRIES)('%s loads', (name, file) => {
    expect(Object.keys(loadBare(name, file))).not.toEqual([]);
  });

  it('there are the entries that are loaded here', () => {
    expect(ENTRIES.map(([name, file]) => `${name} ${file.split(/[\\/]/).at(-1)}`)).toEqual([
      '@chat/protocol index.cjs',
      '@chat/protocol/frames frames.cjs',
      '@chat/protocol/lines lines.cjs',
      '@chat/protocol/check check.cjs',
      '@chat/protocol/msgpack msgpack.cjs',
      '@chat/client browser.cjs',
      '@chat/client/timeline timeline.cjs',
      '@chat/client/react react.cjs',
    ]);
  });
});
