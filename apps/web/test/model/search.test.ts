import { ClientError, type SearchHit, type SearchOptions, type SearchPage } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { Search } from '../../src/model/search.js';

const hit = (seq: number): SearchHit => ({
  id: `e-${seq}`,
  room: 'lobby',
  seq,
  at: seq,
  sender: { id: 2, name: 'Grace' },
  snippet: 'fox',
  marks: [[0, 3]],
});

/** A search whose answers the test gives, in their order. */
function asked() {
  const questions: {
    query: string;
    options: SearchOptions;
    answer(page: SearchPage): void;
    fail(error: Error): void;
  }[] = [];
  let changes = 0;
  const search = new Search(
    (query, options) =>
      new Promise((answer, fail) => {
        questions.push({ query, options, answer, fail });
      }),
    () => changes++,
  );
  return { search, questions, changes: () => changes };
}

describe('Search', () => {
  it('finds page by page, in one room or in all', async () => {
    const { search, questions } = asked();
    const first = search.find('fox', 'lobby');
    expect(search).toMatchObject({ isUnderWay: true, hits: undefined });
    questions[0]!.answer({ hits: [hit(9)], cursor: 9, behind: true });
    await first;
    expect(search).toMatchObject({ isUnderWay: false, hits: [hit(9)], hasMore: true, isBehind: true });
    const second = search.more();
    questions[1]!.answer({ hits: [hit(4)] });
    await second;
    expect(search).toMatchObject({ hits: [hit(9), hit(4)], hasMore: false });
    await search.more();
    expect(questions.map(({ query, options: { room, before } }) => [query, room, before])).toEqual([
      ['fox', 'lobby', undefined],
      ['fox', 'lobby', 9],
    ]);
    void search.find('dog', undefined);
    expect(questions[2]!.options).not.toHaveProperty('room');
  });

  it('gives up what was asked before, whenever its answer comes', async () => {
    const { search, questions } = asked();
    const first = search.find('fox', undefined);
    const second = search.find('dog', undefined);
    expect(questions[0]!.options.signal!.aborted).toBe(true);
    questions[1]!.answer({ hits: [hit(1)] });
    await second;
    questions[0]!.answer({ hits: [hit(2)] });
    await first;
    expect(search).toMatchObject({ words: 'dog', hits: [hit(1)] });
  });

  it('says why nothing can be found, and keeps what was', async () => {
    const { search, questions } = asked();
    const first = search.find('fox', undefined);
    questions[0]!.answer({ hits: [hit(9)], cursor: 9 });
    await first;
    const second = search.more();
    questions[1]!.fail(new ClientError('ERR_CLIENT_UNAVAILABLE', 'this server has no search (unavailable)'));
    await second;
    expect(search).toMatchObject({ hits: [hit(9)], hasMore: true, problem: 'This server has no search.' });
  });
});
