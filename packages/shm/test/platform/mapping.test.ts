import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Mapping, mapFile, pageBytes } from '../../src/platform/mapping.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

describe('mapFile', () => {
  const size = pageBytes() * 2;
  let fd: number;
  const open: Mapping[] = [];

  function map(totalBytes: number, writable: boolean): Mapping {
    const mapping = mapFile(fd, totalBytes, writable);
    open.push(mapping);
    return mapping;
  }

  beforeEach(() => {
    const path = join(place.directory, 'file');
    writeFileSync(path, new Uint8Array(size));
    fd = openSync(path, 'r+');
  });

  afterEach(() => {
    for (const mapping of open.splice(0)) mapping.release();
    closeSync(fd);
  });

  it('shows the same memory as bytes and as words', () => {
    const { bytes, words } = map(size, true);
    expect(bytes.length).toBe(size);
    expect(words.length).toBe(size / 4);
    words[1] = 0x01020304;
    expect([...bytes.subarray(4, 8)].sort()).toEqual([1, 2, 3, 4]);
  });

  it('maps a file once for writing and once for reading', () => {
    const [first, second, reading] = [map(size, true), map(size, true), map(size, false)];
    expect(second.bytes.buffer).toBe(first.bytes.buffer);
    expect(reading.bytes.buffer).not.toBe(first.bytes.buffer);
    first.words[0] = 7;
    expect(reading.words[0]).toBe(7);
    expect([first.writable, reading.writable]).toEqual([true, false]);
    expect(reading.file).toEqual(first.file);
  });

  it('keeps the memory until its last user has released it, and then shows zeros', () => {
    const [first, second] = [mapFile(fd, size, true), mapFile(fd, size, true)];
    first.words[0] = 7;
    first.release();
    expect(second.words[0]).toBe(7);
    second.release();
    expect(second.words[0]).toBe(0);
    expect(map(size, true).words[0]).toBe(7);
  });

  it('reports what the system refuses', () => {
    expect(() => mapFile(fd, -4096, true)).toThrow(
      expect.objectContaining({
        code: 'ERR_SHM_MAP_FAILED',
        message: expect.stringContaining('-4096 bytes'),
      }),
    );
  });
});

describe.runIf(process.platform === 'linux')('addresses', () => {
  const reservedBytes = (): number =>
    Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]) * pageBytes();

  it('of large mappings that are closed are given back, though no collector comes', () => {
    const path = join(place.directory, 'large');
    const size = 256 * 2 ** 20;
    writeFileSync(path, '');
    truncateSync(path, size);
    const fd = openSync(path, 'r+');
    const before = reservedBytes();
    const views: Uint8Array[] = [];
    for (let i = 0; i < 40; i++) {
      const mapping = mapFile(fd, size, true);
      mapping.words[0] = i;
      views.push(mapping.bytes);
      mapping.release();
    }
    closeSync(fd);
    expect(reservedBytes() - before).toBeLessThan(6 * size);
    // A view that somebody kept reads zeros, or has no elements: the file is out of reach either way.
    expect(views.at(-1)?.[0]).toBe(0);
    expect(views[0]?.length).toBe(0);
  });
});
