/** A table for the terminal: columns as wide as they need to be, numbers to the right. */

/** One column; `align` is `right` unless said otherwise. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lays out rows under their titles. Each line is ended. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) =>
    Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    `  ${columns
      .map((column, i) => pad(cells[i] ?? '', widths[i]!, column.align ?? 'right'))
      .join('  ')
      .trimEnd()}\n`;
  const rule = `  ${widths.map((n) => '-'.repeat(n)).join('  ')}\n`;
  return line(columns.map((column) => column.title)) + rule + rows.map(line).join('');
}

function pad(cell: string, target: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(target - width(cell));
  return align === 'left' ? cell + space : space + cell;
}

/** Code points; the tables have no wide characters. */
function width(cell: string): number {
  return [...cell].length;
}
