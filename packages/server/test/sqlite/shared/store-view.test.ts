import { expect, it } from 'vitest';
import { BlockWriter } from '../../../src/log/block.js';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, type Draft } from '../../../src/log/entry.js';
import { encodeBlock } from '../../../src/log/shared/block-header.js';
import { openBlockStore } from '../../../src/sqlite/shared/block-store.js';
import { openStoreView, type StoreWriterPort } from '../../../src/sqlite/shared/store-view.js';
import { draft } from '../../support/event-log-contract.js';
import { dataFolder } from '../../support/sqlite/folder.js';

/** A block of a process. */
function sent(number: number, entry: Draft): Uint8Array {
  const writer = new BlockWriter();
  writer.add(entry, 0);
  return encodeBlock({ origin: 7, number, entries: 1 }, writer.take()!.bytes);
}

const said = (text: string): Draft => draft('lobby', text, { sender: 0, publishId: 0 });

const textsOf = (entries: readonly { readonly body: Uint8Array }[]): string[] =>
  entries.map(({ body }) => Buffer.from(body).toString());

it('reads what another process has written, as soon as it is handed on, and asks it for the rest', async () => {
  const directory = dataFolder();
  const store = openBlockStore({ directory, search: false, reserveBytes: 0 });
  const writer: StoreWriterPort = {
    search: async (query) => ({ hits: [], next: query.length, isBehind: false }),
    remove: async ({ member }) => member ?? 0,
  };
  const view = openStoreView({ directory, writer });
  store.write([sent(1, claim(ClaimKind.ProcessCame, { at: 1 }, undefined)), sent(2, said('one'))]);
  const first = await view.scan(0);
  expect(textsOf(first.entries)).toEqual(['', 'one']);
  expect(first).toMatchObject({ missing: [], next: undefined });
  store.write([sent(3, said('two'))]);
  expect(textsOf((await view.scan(first.entries[1]!.seq)).entries)).toEqual(['two']);
  expect(textsOf((await view.read('lobby', { limit: 1, maxBytes: 1000 })).entries)).toEqual(['two']);
  expect(await view.search('word', { rooms: [], limit: 1 })).toMatchObject({ next: 4 });
  expect(await view.remove({ member: 3 })).toBe(3);
  await view.close();
  await store.close();
});
