/**
 * The folders of a workspace are layers, and its files make no cycle: types included. Whoever reads a file has to know
 * only what stands below it.
 */
import { dirname } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { cycleIn, importsOf, sourcesBelow } from './support/imports.js';
import { workspacesIn } from './support/workspaces.js';

/** Files that lie side by side, at the most. */
const MAX_FILES = 10;

/** From below: each folder, with all that is in it, knows those before it. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  'packages/server': [
    'errors.ts',
    'time',
    'names',
    'log',
    'sqlite',
    'nats',
    'options',
    'limits',
    'room',
    'session',
    'admission',
    'moderation',
    'connection',
    'dialects',
    'server',
    'index.ts',
  ],
  'apps/bench': ['harness', 'ways', 'fanout', 'durable', 'pairs', 'check', 'report', 'commands'],
};

/** Files beside the folders that know none of them. */
const SHARED = ['assert-known.ts', 'clock.ts', 'errors.ts'];

/** What the files of a folder may import from elsewhere: folders, or single files; `.` are the files beside all folders. */
const KNOWS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'packages/client': {
    events: SHARED,
    lazy: SHARED,
    'connection/transports': [...SHARED, 'connection', 'events'],
    connection: SHARED,
    sending: [...SHARED, 'connection', 'events'],
    rooms: [...SHARED, 'connection', 'events', 'sending'],
    session: ['.', 'connection', 'events', 'lazy', 'rooms', 'sending'],
    timeline: ['.', 'rooms', 'sending', 'timeline/commands'],
    'timeline/commands': ['.', 'rooms', 'timeline/rich-text.ts'],
    // Uses the package by its name, as everybody does.
    react: [],
  },
  'apps/client': {
    session: [],
    text: ['session'],
    doctor: ['.', 'session'],
    lines: ['.', 'session', 'text'],
    'screen/rows': ['session', 'text'],
    'screen/state': ['session', 'screen/rows'],
    'screen/terminal': ['.'],
    'screen/view': ['screen/rows', 'screen/state', 'screen/terminal'],
    'screen/live': ['.', 'session', 'screen/rows', 'screen/state', 'screen/terminal'],
  },
  'apps/web': {
    text: [],
    'sign-in': ['text'],
    'model/acting': ['text'],
    model: ['model/acting', 'sign-in', 'text'],
    'ui/marks': ['text'],
    'ui/dialogs': ['model', 'model/acting', 'text', 'ui/marks'],
    'ui/composer': ['model', 'model/acting', 'text', 'ui/marks'],
    'ui/sides': ['model', 'model/acting', 'sign-in', 'text', 'ui/marks'],
    'ui/timeline': ['model', 'model/acting', 'text', 'ui/marks'],
  },
};

const sourceOf = (workspace: string): { readonly root: string; readonly files: ReadonlySet<string> } => {
  const root = `${workspace}/src`;
  return { root, files: new Set(sourcesBelow(root)) };
};

const wrongImports = (
  { root, files }: ReturnType<typeof sourceOf>,
  isAllowed: (from: string, to: string) => boolean,
): string[] => {
  const inside = (path: string): string => path.slice(root.length + 1);
  return [...files].flatMap((file) =>
    importsOf(file, files)
      .filter((other) => !isAllowed(inside(file), inside(other)))
      .map((other) => `${inside(file)} -> ${inside(other)}`),
  );
};

describe.each([...workspacesIn('packages'), ...workspacesIn('apps')].map(({ folder }) => folder))(
  '%s',
  (workspace) => {
    const { files } = sourceOf(workspace);

    it('has no import cycle', () => {
      expect(files.size).toBeGreaterThan(0);
      expect(cycleIn(files)).toBeUndefined();
    });

    it(`has at most ${MAX_FILES} files side by side`, () => {
      const counts = new Map<string, number>();
      for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
      expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
    });
  },
);

describe.each(Object.entries(ORDER))('the folders of %s', (workspace, order) => {
  const source = sourceOf(workspace);
  const layerOf = (path: string): string => path.split('/')[0]!;

  it('are all in the order', () => {
    const layers = [...source.files].map((file) => layerOf(file.slice(source.root.length + 1)));
    expect([...new Set(layers)].sort()).toEqual([...order].sort());
  });

  it('know only those before them', () => {
    const isBefore = (from: string, to: string): boolean =>
      order.indexOf(layerOf(to)) <= order.indexOf(layerOf(from));
    expect(wrongImports(source, isBefore)).toEqual([]);
  });
});

describe.each(Object.entries(KNOWS))('the folders of %s', (workspace, knows) => {
  const source = sourceOf(workspace);
  // What the table does not name may import all: it puts the others together.
  const mayKnow = (from: string, to: string): boolean => {
    const known = knows[dirname(from)];
    return dirname(from) === dirname(to) || !known || known.includes(dirname(to)) || known.includes(to);
  };

  it('are all spoken of, but for those that put the others together', () => {
    const folders = new Set([...source.files].map((file) => dirname(file.slice(source.root.length + 1))));
    const composing = ['.', 'ui', 'screen'];
    expect([...folders].filter((folder) => !composing.includes(folder)).sort()).toEqual(
      Object.keys(knows).sort(),
    );
  });

  it('know no other than they may', () => {
    expect(wrongImports(source, mayKnow)).toEqual([]);
  });
});
