import { describe, expect, it } from 'vitest';
import { load } from '../../src/lazy/load.js';

describe('load', () => {
  it('gives the part', async () => {
    const part = { calls: 1 };
    expect(await load(async () => part)).toBe(part);
  });

  it('says with a code, and the cause, that it could not be fetched', async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module');
    await expect(load(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'ERR_CLIENT_LOAD_FAILED',
      cause,
    });
  });
});
