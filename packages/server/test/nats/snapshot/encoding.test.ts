import { expect, it } from 'vitest';
import { PartReader, partsOf } from '../../../src/nats/parts.js';
import { decodeSnapshot, encodeSnapshot, type StreamSnapshot } from '../../../src/nats/snapshot/encoding.js';
import { bigSnapshot } from '../../support/stream-snapshots.js';

it('brings a snapshot back as it was', async () => {
  const snapshot = bigSnapshot(7, 5000);
  expect(await decodeSnapshot(await encodeSnapshot(snapshot))).toEqual(snapshot);
});

it('brings along what had come of large blocks, so that the rest makes them whole', async () => {
  const block = Buffer.alloc(3000, 'large');
  const parts = partsOf(block, 1256, 'sender', 4);
  const reader = new PartReader();
  for (const { place, bytes } of parts.slice(0, 2)) reader.take(place, bytes);
  const snapshot: StreamSnapshot = { ...bigSnapshot(2, 10), begun: reader.begun };
  const { begun } = await decodeSnapshot(await encodeSnapshot(snapshot));
  const [last] = parts.slice(2);
  expect(new PartReader(begun).take(last!.place, last!.bytes)).toEqual(block);
  expect(new PartReader().take(last!.place, last!.bytes)).toBeUndefined();
});

it('refuses what is damaged, and what is of another format', async () => {
  const bytes = Buffer.from(await encodeSnapshot(bigSnapshot(1, 1000)));
  bytes[bytes.length - 10]! ^= 1;
  await expect(decodeSnapshot(bytes)).rejects.toThrow();
  const { gzipSync } = await import('node:zlib');
  const json = Buffer.from('{"format":2}');
  const other = gzipSync(Buffer.concat([Buffer.from([0, 0, 0, json.length]), json]));
  await expect(decodeSnapshot(other)).rejects.toThrow('a snapshot has format 2, and this server reads 1');
});
