/** Direct messages: to those who are here at once, to those who are away when they come back, and never lost without a word. */
import { FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { MemoryChat } from './support/memory-chat.js';
import { turn } from './support/turn.js';
import { followChain } from './support/wire-client.js';

describe('a direct message', () => {
  it('is on its way to one who is connected, and waits for one who is away', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    expect(await ada.answerTo(ada.whisper('bob', 'one'))).not.toHaveProperty('waiting');
    await turn();
    const { inbox } = bob.welcome!;
    const last = bob.entries(inbox.handle).at(-1)!.seq;
    bob.pipe.destroy();
    await turn();
    expect(await ada.answerTo(ada.whisper('bob', 'two'))).toMatchObject({
      type: FrameType.Ack,
      waiting: true,
    });
    const again = await memory.enter(bob.resumption(last));
    await turn();
    expect(again.texts(inbox.handle)).toEqual(['two']);
    expect(followChain(again.frames, inbox.handle, last)).toBeGreaterThan(last);
    expect(await ada.answerTo(ada.whisper('bob', 'three'))).not.toHaveProperty('waiting');
  });

  it('that is sent again is answered as it was', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    bob.pipe.destroy();
    await turn();
    const id = ada.whisper('bob', 'one');
    const first = await ada.answerTo(id);
    await memory.enter(bob.resumption());
    ada.publishId = id - 1;
    expect(await ada.answerTo(ada.whisper('bob', 'one'))).toEqual(first);
    expect(first).toMatchObject({ waiting: true });
  });

  it('does not make those wait in vain that were there before it', async () => {
    const memory = await MemoryChat.open({ inboxEntries: 16 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { inbox } = bob.welcome!;
    // What was read makes room, however it lies in memory; what was not does not.
    for (let i = 0; i < 13; i++) await ada.answerTo(ada.whisper('bob', `read ${i}`));
    await turn();
    const last = bob.entries(inbox.handle).at(-1)!.seq;
    bob.pipe.destroy();
    await turn();
    const sent: string[] = [];
    for (let i = 0; ; i++) {
      const answer = await ada.answerTo(ada.whisper('bob', `waits ${i}`));
      if (answer.type === FrameType.Nack) {
        expect(answer.failure).toMatchObject({ code: FailureCode.InboxFull, max: 16 });
        expect(answer.failure.message).toBe('bob is away, and no more than 16 messages wait');
        break;
      }
      sent.push(`waits ${i}`);
    }
    // Chunks of two entries: the one that was read in part counts whole.
    expect(sent.length).toBeGreaterThanOrEqual(15);
    const again = await memory.enter(bob.resumption(last));
    await turn();
    expect(again.texts(inbox.handle)).toEqual(sent);
    expect(again.frames.some(({ type }) => type === FrameType.Gap)).toBe(false);
    expect(await ada.answerTo(ada.whisper('bob', 'there is space again'))).toMatchObject({
      type: FrameType.Ack,
    });
  });

  it('comes to its reader in lines with the name of its sender', async () => {
    const memory = await MemoryChat.open();
    const line = memory.connectLine();
    line.send('nina\n');
    await turn();
    const ada = await memory.enter('ada');
    expect(await ada.answerTo(ada.whisper('nina', 'psst'))).not.toHaveProperty('waiting');
    await turn();
    expect(line.text()).toContain('*** ada whispers: psst\n');
  });
});
