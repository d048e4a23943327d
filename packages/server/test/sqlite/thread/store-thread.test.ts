import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreThread } from '../../../src/sqlite/thread/store-thread.js';
import type { WriterOperations } from '../../../src/sqlite/thread/writer-operations.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';

function start(directory: string): StoreThread<WriterOperations> {
  const thread = new StoreThread<WriterOperations>('writer', { directory, durability: 'process' });
  onTestFinished(() => thread.terminate());
  return thread;
}

describe('StoreThread', () => {
  it('stores blocks in another thread, which gives their bytes back', async () => {
    const directory = dataFolder();
    const thread = start(directory);
    expect(await thread.call('open', 0)).toMatchObject({ position: 0, loss: undefined });
    const block = blockOf(1, draft('lobby', 'hello'));
    const copy = Uint8Array.from(block.bytes);
    const write = thread.call('write', [block], [block.bytes.buffer as ArrayBuffer]);
    expect(block.bytes.length).toBe(0);
    const { blocks, error } = await write;
    expect(Uint8Array.from(blocks[0]!.bytes)).toEqual(copy);
    expect(error).toBeUndefined();
    await thread.call('close', undefined);
    const again = start(directory);
    expect(await again.call('open', 0)).toMatchObject({ position: 1, loss: undefined });
    await again.call('close', undefined);
  });

  it('rejects with the code and the sentence of what went wrong over there', async () => {
    const directory = dataFolder();
    const one = start(directory);
    await one.call('open', 0);
    await expect(start(directory).call('open', 0)).rejects.toMatchObject({
      code: 'ERR_SERVER_STORE_LOCKED',
      message: expect.stringContaining(directory),
    });
    await one.call('close', undefined);
    await expect(one.call('totals', undefined)).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSED' });
  });

  it('answers nothing more once it is terminated, and says when it ends by itself', async () => {
    const thread = start(dataFolder());
    await thread.call('open', 0);
    let deaths = 0;
    thread.onDeath = () => deaths++;
    await thread.terminate();
    await expect(thread.call('open', 0)).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSED' });
    expect(deaths).toBe(0);
    const broken = new StoreThread<WriterOperations>('nobody', {});
    const death = new Promise((resolve) => {
      broken.onDeath = resolve;
    });
    await expect(broken.call('open', 0)).rejects.toMatchObject({ code: 'ERR_SERVER_STORE_FAILED' });
    expect(await death).toMatchObject({ code: 'ERR_SERVER_STORE_FAILED' });
  });
});
