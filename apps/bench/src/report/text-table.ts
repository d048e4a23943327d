/** A table for the terminal: columns as wide as they need to be, the first to the left and the others to the right. */

/**
 * Lays out rows under their titles. Each line is ended.
 *
 * @param left - the columns that are words, not numbers
 */
export function formatTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string {
  const widths = titles.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map(width)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((target, i) => {
      const cell = cells[i] ?? '';
      const space = ' '.repeat(target - width(cell));
      return left.includes(i) ? cell + space : space + cell;
    });
    return `  ${padded.join('  ').trimEnd()}\n`;
  };
  return line(titles) + line(widths.map((cells) => '-'.repeat(cells))) + rows.map(line).join('');
}

/** Code points; the tables have no wide characters. */
function width(cell: string): number {
  return [...cell].length;
}
