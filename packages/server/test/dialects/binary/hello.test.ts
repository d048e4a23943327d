import type { Hello } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { checkHello } from '../../../src/dialects/binary/hello.js';

const hello = { name: 'ada', maxFrameBytes: 65_536 };
const resume = { session: 's', secret: 'k', epoch: 'e', rooms: [{ room: 'lobby', after: 7 }], inbox: 0 };

describe('checkHello', () => {
  it.each([
    hello,
    { ...hello, credentials: null, agent: 'a/1', clientSecret: 'x'.repeat(16), attempt: 3, resume, new: 1 },
  ])('takes %j', (value) => {
    expect(() => checkHello(value as Hello)).not.toThrow();
  });

  it.each([
    [{ ...hello, name: 7 }, 'hello.name must be of type string, got number'],
    [{ ...hello, maxFrameBytes: 1.5 }, 'hello.maxFrameBytes must be an integer, got 1.5'],
    [{ ...hello, clientSecret: 'short' }, 'hello.clientSecret must have 16 to 64 characters, got 5'],
    [{ ...hello, attempt: -1 }, 'hello.attempt must be an integer from 0 to 281474976710655, got -1'],
    [{ ...hello, resume: null }, 'hello.resume must be of type object, got null'],
    [
      { ...hello, resume: { ...resume, rooms: [{ room: 'lobby' }] } },
      'hello.resume.rooms[0].after must be an integer from 0 to 281474976710655, got undefined',
    ],
  ])('refuses %j and names the field', (value, message) => {
    expect(() => checkHello(value as unknown as Hello)).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED', message }),
    );
  });
});
