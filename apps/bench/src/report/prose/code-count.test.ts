import { describe, expect, it } from 'vitest';
import { countLines } from './code-count.js';

describe('countLines', () => {
  it('tells code from comment and leaves out empty lines', () => {
    const source = [
      '/**',
      ' * A head.',
      ' */',
      '',
      'const a = 1; // one',
      '// alone',
      '/* short */',
      'f();',
      '',
    ].join('\n');
    expect(countLines(source)).toEqual({ code: 2, comment: 5 });
  });
});
