import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../../test/support/sample-report.js';
import { drawPictures } from '../pictures/pictures.js';
import { renderMarkdown } from './markdown.js';

describe('renderMarkdown', () => {
  it('has the five rows, and shows each picture with its sentence', () => {
    const report = sampleReport();
    const pictures = drawPictures(report);
    const text = renderMarkdown(report, { pictures, earlier: undefined, toRoot: '../../' });
    expect(text.split('## In pictures')[0]!.match(/^\| \*\*/gm)).toHaveLength(5);
    for (const { name, sentence } of pictures) {
      expect(text).toContain(`(${name}.svg)`);
      expect(text).toContain(sentence);
    }
  });
});
