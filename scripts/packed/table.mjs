/** `docs/compatibility.md`, made of the rows that are tried. */

const HEAD = `# What the packages were tried with

The four packages are packed, served by a registry of their own, installed from it into an empty project, and used there. Each row is one such project; all of them passed in one run on Linux x64. \`npm run check:packed\` repeats it; with \`-- --write\` it writes this page, and only if all rows pass.

In the rows for Node and for package managers the project imports every package and every subpath, and two clients talk over TCP and over a WebSocket. A page of a bundler talks to a server from a Node that has the WebSocket of browsers. Its bundle has nothing of Node in it.
`;

const FOOT = `Not tried here: macOS and Windows (the workflow for continuous integration runs the tests there), and React Native on a phone. Deno and Bun were tried by hand; the READMEs say with which outcome.
`;

export function tableOf(groups) {
  const tables = groups.map(({ title, rows }) => {
    const lines = rows.map(({ what, how }) => `| ${what} | ${how} |`);
    return `## ${title}\n\n| with | what was done |\n| --- | --- |\n${lines.join('\n')}\n`;
  });
  return [HEAD, ...tables, FOOT].join('\n');
}
