/** Reads the vectors and tables of docs/protocol.md and of the README. */
import { readFileSync } from 'node:fs';

export const protocolDocument: string = read('../../../../docs/protocol.md');
export const readme: string = read('../../README.md');

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('\r\n', '\n');
}

/** Fenced blocks with this info word: their name and their lines. */
export function blocks(kind: string): { name: string; lines: string[] }[] {
  const pattern = new RegExp(`^\`\`\`${kind} (\\S+)\\n([\\s\\S]*?)\\n\`\`\`$`, 'gm');
  return [...protocolDocument.matchAll(pattern)].map(([, name, text]) => ({
    name: name!,
    lines: text!.split('\n'),
  }));
}

/** Rows of the table whose header line begins with `| header |`, as cells without backticks. */
export function table(document: string, header: string): string[][] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header} |`));
  if (start === -1) throw new Error(`there is no table with the column ${header}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  }
  return rows;
}
