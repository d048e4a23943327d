/** Finds the examples of READMEs and of TSDoc: every fenced block of TypeScript there is a module of its own. */
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
  const pages = ['README.md', ...folders.flatMap((folder) => filesBelow(folder, 'README.md'))];
  const sources = folders.flatMap((folder) => filesBelow(`${folder}/src`, '.ts'));
  return [
    ...pages.flatMap((path) => blocksOf(path, read(path))),
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
