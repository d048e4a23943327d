import { expect, it } from 'vitest';
import type { Draft } from '../../../src/log/entry.js';
import { MAX_READ_ROOMS, ReadPositions } from '../../../src/log/state/users/read-positions.js';
import { ReadMarks, type ReadMarksContext } from '../../../src/session/user/read-marks.js';

it('says what is read within a while at once and then together, and never more than is kept', () => {
  const claims: Draft[] = [];
  let due: (() => void) | undefined;
  const context = {
    options: { clock: { now: () => 1 }, readPositionMs: 2000 },
    log: { append: (draft: Draft) => claims.push({ ...draft, body: Uint8Array.from(draft.body) }) },
    reads: new ReadPositions(),
    wheel: {
      schedule: (_ms: number, call: () => void) => {
        due = call;
        return {};
      },
      cancel: () => {},
    },
  } as unknown as ReadMarksContext;
  const marks = new ReadMarks(context, 7, 'ada');
  const said = (): number[] =>
    claims.splice(0).map(({ body }) => (JSON.parse(Buffer.from(body).toString()).reads as unknown[]).length);
  marks.note('lobby', 5);
  expect(said()).toEqual([1]);
  marks.note('lobby', 6);
  marks.note('team', 6);
  marks.note('team', 6);
  expect(said()).toEqual([]);
  due?.();
  expect(said()).toEqual([2]);
  for (let i = 0; i < MAX_READ_ROOMS + 3; i++) marks.note(`@user${i}`, 9);
  expect(said()).toEqual([MAX_READ_ROOMS]);
  marks.flush();
  expect(said()).toEqual([3]);
  marks.flush();
  expect(said()).toEqual([]);
});
