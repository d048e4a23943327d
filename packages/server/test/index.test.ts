import { expect, it } from 'vitest';
import * as api from '../src/index.js';

it('exports exactly this', () => {
  expect(Object.keys(api).sort()).toEqual([
    'BlockLog',
    'ChatServer',
    'LEAST_ROLE',
    'LIMITS',
    'ServerError',
    'ServerErrorCode',
    'UNLIMITED',
    'createBlockLog',
    'createChatServer',
    'createMemoryLog',
    'listenOnSocket',
    'looks',
    'systemClock',
    'userNameProblem',
  ]);
});
