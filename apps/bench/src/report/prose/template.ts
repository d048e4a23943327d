/**
 * The sentences of a report, read from `prose.md`: sections by their heading, tables by their rows, and figures in
 * the place of what stands in braces.
 *
 * `{name}` and `{name argument}` are figures; `{when-name this}` and `{when-name this/that}` choose by a fact.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_FOLDER } from '../../harness/built-module.js';

/** Gives the text of a figure; a fact is a boolean. */
export type Lookup = (name: string, argument: string) => string | boolean | undefined;
/** Where figures come from: a lookup, or a record of them. */
export type Figures = Lookup | Readonly<Record<string, string | boolean>>;

const FILE = join(BENCH_FOLDER, 'src', 'report', 'prose', 'prose.md');
const SECTIONS: ReadonlyMap<string, string> = readSections(readFileSync(FILE, 'utf8'));

/** The section of this heading, filled. @throws RangeError when there is no such section or figure */
export function say(heading: string, ...figures: readonly Figures[]): string {
  return fill(sectionOf(heading), ...figures);
}

/** The rows of the table under this heading as its columns, unfilled. */
export function tableOf(heading: string): string[][] {
  const [, , ...rows] = sectionOf(heading).split('\n');
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The items of the list under this heading, unfilled. */
export function listOf(heading: string): string[] {
  return sectionOf(heading)
    .split('\n')
    .map((item) => item.replace(/^- /, ''));
}

/** Puts figures in their places; the first source that knows one gives it. */
export function fill(text: string, ...figures: readonly Figures[]): string {
  return text.replace(/\{([a-z-]+) ?([^}]*)\}/g, (whole, name: string, argument: string) => {
    for (const source of figures) {
      const found = typeof source === 'function' ? source(name, argument) : source[name];
      if (typeof found === 'string') return found;
      if (found !== undefined) return argument.split('/')[found ? 0 : 1] ?? '';
    }
    throw new RangeError(`nobody knows ${whole}`);
  });
}

function sectionOf(heading: string): string {
  const section = SECTIONS.get(heading);
  if (section === undefined) throw new RangeError(`prose.md has no section "${heading}"`);
  return section;
}

function readSections(text: string): Map<string, string> {
  const [, ...sections] = text.replaceAll('\r\n', '\n').split(/^## /m);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end).trim()];
    }),
  );
}
