import { describe, expect, it } from 'vitest';
import { RowWriter } from '../../../src/screen/terminal/row-writer.js';

describe('RowWriter', () => {
  const CURSOR = { column: 2, row: 1 };

  function writer(): { readonly writes: string[]; readonly writer: RowWriter } {
    const writes: string[] = [];
    return { writes, writer: new RowWriter((text) => writes.push(text)) };
  }

  it('writes the rows that changed, each at its place, in one write', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one', 'two', 'three'], CURSOR);
    rows.draw(['one', 'TWO', 'three'], CURSOR);
    expect(writes).toHaveLength(2);
    expect(writes[1]).toContain('\u001B[2;1H\u001B[2KTWO\u001B[2;3H');
    expect(writes[1]).not.toContain('one');
  });

  it('writes nothing for what is there, and little for a cursor that moved', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one'], CURSOR);
    rows.draw(['one'], CURSOR);
    expect(writes).toHaveLength(1);
    rows.draw(['one'], { column: 5, row: 0 });
    expect(writes[1]).not.toContain('one');
    expect(writes[1]).toContain('\u001B[1;6H');
  });

  it('erases rows that are gone', () => {
    const { writes, writer: rows } = writer();
    rows.draw(['one', 'two'], CURSOR);
    rows.draw(['one'], CURSOR);
    expect(writes[1]).toContain('\u001B[2;1H\u001B[2K\u001B');
  });
});
