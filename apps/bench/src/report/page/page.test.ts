import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../../test/support/sample-report.js';
import { drawPictures } from '../pictures/pictures.js';
import { renderPage, type Surroundings } from './page.js';

/** A report without pictures and without an earlier one. */
const ALONE: Surroundings = { pictures: [], earlier: undefined, toRoot: '../../' };

describe('renderPage', () => {
  const report = sampleReport({ failures: ['a <b> & c'], missing: ['redis: no redis-server on the PATH'] });
  const html = renderPage(report, { ...ALONE, pictures: drawPictures(report) });

  it('needs nothing from outside', () => {
    expect(html).not.toMatch(/<script|<link|src="|url\(|@import/);
  });

  it('escapes what it did not write', () => {
    expect(html).toContain('a CPU &lt;fast&gt;');
    expect(html).toContain('a &lt;b&gt; &amp; c');
  });

  it('begins with the five rows and has every picture', () => {
    expect(html.indexOf('different machines')).toBeLessThan(html.indexOf('<figure'));
    expect(html.match(/<figure /g)).toHaveLength(6);
  });

  it('warns of a noisy machine and of an interrupted run', () => {
    const { settings } = sampleReport();
    const noisy = sampleReport({ otherWork: 0.5, settings: { ...settings, complete: false } });
    const warned = renderPage(noisy, ALONE);
    expect(warned).toContain('up to 50 %');
    expect(warned).toContain('interrupted');
  });
});
