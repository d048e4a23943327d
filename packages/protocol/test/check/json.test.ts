import { describe, expect, it } from 'vitest';
import {
  asAnything,
  asArray,
  asBoolean,
  asCount,
  asInteger,
  asNumber,
  asObject,
  asOptional,
  asPosition,
  asString,
  type Check,
} from '../../src/check/json.js';

interface Order {
  readonly name: string;
  readonly rooms: readonly { readonly room: string; readonly after: number }[];
  readonly isNew?: boolean;
  readonly extra?: unknown;
}

const asOrder: Check<Order> = asObject<Order>({
  name: asString,
  rooms: asArray(asObject<Order['rooms'][number]>({ room: asString, after: asPosition })),
  isNew: asOptional(asBoolean),
  extra: asAnything,
});
const order = { name: 'ada', rooms: [{ room: 'lobby', after: 7 }] };

/** What a check says about a value that is called `it`. */
function complaint(check: Check<unknown>, value: unknown): string {
  try {
    check(value, 'it');
    return 'fine';
  } catch (error) {
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'ERR_PROTOCOL_FRAME_MALFORMED' });
    return (error as Error).message;
  }
}

describe('a description of JSON', () => {
  it('gives back the value that fits, the same one, and leaves other fields alone', () => {
    const value = { ...order, isNew: true, extra: null, unknown: [] };
    expect(asOrder(value, 'it')).toBe(value);
    expect(asOrder(order, 'it')).toBe(order);
  });

  it.each([
    [undefined, 'it must be of type object, got undefined'],
    [null, 'it must be of type object, got null'],
    [[], 'it must be of type object, got array'],
    [{}, 'it.name must be of type string, got undefined'],
    [{ ...order, name: 7 }, 'it.name must be of type string, got number'],
    [{ ...order, rooms: {} }, 'it.rooms must be of type array, got object'],
    [{ ...order, rooms: [...order.rooms, 'lobby'] }, 'it.rooms[1] must be of type object, got string'],
    [
      { ...order, rooms: [{ room: 'lobby' }] },
      'it.rooms[0].after must be an integer from 0 to 281474976710655, got undefined',
    ],
    [{ ...order, isNew: null }, 'it.isNew must be of type boolean, got null'],
  ])('names the field of %j that does not fit', (value, message) => {
    expect(complaint(asOrder, value)).toBe(message);
  });

  it('takes positions of 48 bits and nothing else', () => {
    for (const value of [0, 1, 2 ** 48 - 1]) expect(asPosition(value, 'it')).toBe(value);
    for (const value of [-1, 1.5, 2 ** 48, '1', null, true]) {
      expect(complaint(asPosition, value)).toMatch(/^it must be an integer from 0 to 281474976710655, got /);
    }
  });

  it('takes counts from 1 on', () => {
    for (const value of [1, 2 ** 53 - 1]) expect(asCount(value, 'it')).toBe(value);
    for (const value of [0, -1, 1.5, 2 ** 53, '1', null]) {
      expect(complaint(asCount, value)).toMatch(/^it must be a positive integer, got /);
    }
  });

  it('takes integers of either sign', () => {
    for (const value of [0, -7, 2 ** 60]) expect(asInteger(value, 'it')).toBe(value);
    for (const value of [1.5, '1', null, true]) {
      expect(complaint(asInteger, value)).toMatch(/^it must be an integer, got /);
    }
  });

  it('takes any number as one, and nothing that looks like one', () => {
    expect(asNumber(1.5, 'it')).toBe(1.5);
    expect(complaint(asNumber, '1')).toBe('it must be of type number, got string');
  });

  it('does not say what a string holds, which may be a secret', () => {
    expect(complaint(asBoolean, 'correct horse')).toBe('it must be of type boolean, got string');
  });
});
