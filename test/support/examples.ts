/**
 * Finds the examples of READMEs, of the pages in docs, and of TSDoc: every fenced block of TypeScript there is a module of
 * its own, and so are the cells of a table of which a comment says what they speak of.
 */
import { filesBelow, read, workspacesIn } from './workspaces.js';

export interface Example {
  /** `packages/protocol/README.md:21` */
  readonly where: string;
  readonly code: string;
  /** A block marked `ts no-run` is compiled only: it needs a server at a place of its own, or a person. */
  readonly runs: boolean;
}

export function findExamples(): Example[] {
  const folders = workspacesIn('packages').map(({ folder }) => folder);
  const readmes = ['README.md', ...folders.flatMap((folder) => filesBelow(folder, 'README.md'))];
  const pages = [...readmes, ...filesBelow('docs', '.md')];
  const sources = folders.flatMap((folder) => filesBelow(`${folder}/src`, '.ts'));
  return [
    ...pages.flatMap((path) => [...blocksOf(path, read(path)), ...cellsOf(path, read(path))]),
    ...sources.flatMap((path) => blocksOf(path, commentsOf(read(path)))),
  ];
}

/** The text of the comments of a source, each line where it was, so that line numbers stay right. */
function commentsOf(source: string): string {
  let inside = false;
  return source
    .split('\n')
    .map((line) => {
      const opens = line.trimStart().startsWith('/**');
      const closes = line.trimEnd().endsWith('*/');
      const belongs = inside || opens;
      inside = (inside || opens) && !closes;
      return belongs ? line.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, '') : '';
    })
    .join('\n');
}

function blocksOf(path: string, text: string): Example[] {
  return [...text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```$/gm)].map((match) => ({
    where: `${path}:${text.slice(0, match.index).split('\n').length + 1}`,
    code: match[2]!,
    runs: match[1] === undefined,
  }));
}

/**
 * Tables of what was written and what is to be written instead: each code that begins a cell is an expression, and
 * compiles with the declarations of the comment above the table. With `cells of the right` only the last column does.
 */
function cellsOf(path: string, text: string): Example[] {
  const tables = text.matchAll(/^<!-- cells( of the right)?\n([\s\S]*?)^-->\n\n((?:\|.*\n)+)/gm);
  return [...tables].map((match) => {
    const rows = match[3]!.split('\n').slice(2);
    const cells = rows.flatMap((row) =>
      row
        .slice(2, -2)
        .split(' | ')
        .slice(match[1] ? -1 : 0),
    );
    const codes = cells.flatMap((cell) => /^`([^`]+)`/.exec(cell)?.[1] ?? []);
    return {
      where: `${path}:${text.slice(0, match.index).split('\n').length + 1}`,
      code: `${match[2]}export const cells = () => [${codes.map((code) => `() => ${code}`).join(', ')}];\n`,
      runs: false,
    };
  });
}
