import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCompareOptions } from './compare-options.js';

describe('parseCompareOptions', () => {
  beforeEach(() => vi.stubEnv('INIT_CWD', '/somewhere/else'));
  afterEach(() => vi.unstubAllEnvs());

  it('measures everything in full when nothing is said', () => {
    expect(parseCompareOptions([])).toEqual({
      quick: false,
      only: undefined,
      json: false,
      out: undefined,
      against: undefined,
      render: undefined,
    });
  });

  it('takes paths as they were typed, although npm changes the folder', () => {
    const args = ['--out', 'docs/here', '--against', '../old.json', '--render', '/absolute.json'];
    expect(parseCompareOptions(args)).toMatchObject({
      out: resolve('/somewhere/else/docs/here'),
      against: resolve('/somewhere/old.json'),
      render: resolve('/absolute.json'),
    });
  });

  it('splits the lines to measure', () => {
    expect(parseCompareOptions(['--quick', '--only', 'tcp,unix'])).toMatchObject({
      quick: true,
      only: ['tcp', 'unix'],
    });
  });
});
