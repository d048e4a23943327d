import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hashSource, markPicture, readMark } from './diagram-mark.js';

const FOLDER = fileURLToPath(new URL('../../../../docs/diagrams/', import.meta.url));
const sources = readdirSync(FOLDER).filter((name) => name.endsWith('.mmd'));

describe('the diagrams of docs', () => {
  it('are the four that were wanted', () => {
    expect(sources.sort()).toEqual([
      'architecture.mmd',
      'client-flow.mmd',
      'server-flow.mmd',
      'shared-memory-flow.mmd',
    ]);
  });

  it.each(sources)('%s has a picture made of it (else run: npm run diagrams -w chat-bench)', (name) => {
    const source = readFileSync(join(FOLDER, name), 'utf8');
    const svg = readFileSync(join(FOLDER, name.replace(/\.mmd$/, '.svg')), 'utf8');
    expect(readMark(svg)).toBe(hashSource(source));
  });

  it.each(sources)(
    'the picture of %s has text that is shown everywhere, and nothing from outside',
    (name) => {
      const svg = readFileSync(join(FOLDER, name.replace(/\.mmd$/, '.svg')), 'utf8');
      expect(svg).not.toContain('foreignObject');
      expect(svg).not.toMatch(/href="http|url\(http|@import/);
    },
  );
});

describe('the mark of a picture', () => {
  it('changes with the source, not with its line ends', () => {
    const svg = markPicture('<svg viewBox="0 0 1 1"><g/></svg>', 'flowchart TD\n a --> b\n');
    expect(readMark(svg)).toBe(hashSource('flowchart TD\r\n a --> b\r\n'));
    expect(readMark(svg)).not.toBe(hashSource('flowchart TD\n a --> c\n'));
  });

  it('is missing in a picture that was made otherwise', () => {
    expect(readMark('<svg><g/></svg>')).toBeUndefined();
  });
});
