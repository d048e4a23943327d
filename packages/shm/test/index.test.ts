import { describe, expect, it } from 'vitest';
import * as shm from '../src/index.js';

describe('the package', () => {
  it('exports this and nothing else', () => {
    expect(Object.keys(shm).sort()).toEqual([
      'SegmentKind',
      'ShmError',
      'ShmErrorCode',
      'cleanup',
      'cloneCodec',
      'connect',
      'duplexOf',
      'inspect',
      'jsonCodec',
      'listSegments',
      'listen',
      'openChannel',
      'openLatest',
      'openLog',
      'openMutex',
      'openQueue',
      'openRing',
      'openSegment',
      'requestsOver',
      'schemaCodec',
      'textCodec',
      'unlink',
    ]);
  });
});
