import { describe, expect, it } from 'vitest';
import { resolveOptions, type SqliteLogOptions } from '../../src/sqlite/sqlite-options.js';

describe('resolveOptions', () => {
  it('has a default for everything but the folder', () => {
    expect(resolveOptions({ directory: 'data' })).toEqual({
      directory: 'data',
      durability: 'process',
      retention: {},
      onStoreFailure: 'refuse',
      search: true,
      maxPendingBytes: 16_777_216,
      tailBytes: 8_388_608,
      reserveBytes: 16_777_216,
    });
  });

  it.each<[object, RegExp]>([
    [{}, /directory must be the path of a folder/],
    [{ directory: 'd', durabilty: 'disk' }, /unknown option "durabilty"; did you mean "durability"/],
    [{ directory: 'd', durability: 'power' }, /durability must be 'process' or 'disk'/],
    [{ directory: 'd', onStoreFailure: 'ignore' }, /onStoreFailure must be 'refuse' or 'memory'/],
    [{ directory: 'd', tailBytes: -1 }, /tailBytes -1 must be a number of bytes/],
    [{ directory: 'd', retention: { maxAge: 1 } }, /retention.maxAge/],
    [{ directory: 'd', retention: { maxAgeMs: 0 } }, /retention.maxAgeMs 0 must be more than 0/],
    [{ directory: 'd', retention: { rooms: { maxEntries: Number.NaN } } }, /retention.rooms.maxEntries NaN/],
    [{ directory: 'd', retention: { byRoom: { lobby: { max: 1 } } } }, /retention.byRoom.lobby.max/],
  ])('refuses %j', (options, problem) => {
    expect(() => resolveOptions(options as SqliteLogOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_BAD_OPTION', message: expect.stringMatching(problem) }),
    );
  });
});
