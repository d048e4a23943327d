import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { EchoOperations } from '../../test/support/echo.js';
import { Remote } from './remote.js';

const ECHO = fileURLToPath(new URL('../../test/support/echo.ts', import.meta.url));

describe('Remote', () => {
  const remote = new Remote<EchoOperations>(ECHO, ['--import', 'tsx', '--conditions', '@chat/source']);

  afterEach(async () => {
    await remote.close();
  });

  it('calls operations of another process, and learns of their errors and of its end', async () => {
    expect(await remote.call('double', { value: 21 })).toBe(42);
    await expect(remote.call('fail', {})).rejects.toThrow('as asked');
    await expect(remote.call('exit', {})).rejects.toThrow('ended (3)');
  });
});
