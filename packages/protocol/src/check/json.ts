/**
 * Checks JSON from the other side: a value is described field by field, and what does not fit its description is an
 * error that names the field.
 *
 * A check is a function of a value and its path. It returns the value, so that what comes out has the type that was
 * promised, or throws. Descriptions of objects are complete by type: a field that is forgotten does not compile. Fields
 * that no description names are left alone, as the protocol demands.
 */
import { MAX_U48 } from '../bytes/integers.js';
import { malformed, type ProtocolError } from '../errors.js';

/**
 * Checks a value and returns it, the same one.
 *
 * @param path - how the value is called in the error: `hello`, and then `hello.resume.rooms`
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` with the path, what was expected and what was seen
 */
export type Check<T> = (value: unknown, path: string) => T;

/** The checks of all fields of `T`. */
export type FieldChecks<T> = { readonly [Key in keyof T]-?: Check<T[Key]> };

/** Takes a string. */
export const asString: Check<string> = /* @__PURE__ */ ofType('string');

/** Takes a boolean. */
export const asBoolean: Check<boolean> = /* @__PURE__ */ ofType('boolean');

/** Takes a number, an integer or not. JSON has no NaN and no infinity. */
export const asNumber: Check<number> = /* @__PURE__ */ ofType('number');

/** Takes an integer, a negative one as well. */
export function asInteger(value: unknown, path: string): number {
  if (!Number.isInteger(value)) throw mismatch(value, path, 'an integer');
  return value as number;
}

/** Takes an integer from 1 on. */
export function asCount(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw mismatch(value, path, 'a positive integer');
  return value as number;
}

/** Takes a position in the log, or another integer that has 48 bits on the wire. */
export function asPosition(value: unknown, path: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_U48) {
    throw mismatch(value, path, `an integer from 0 to ${MAX_U48}`);
  }
  return value as number;
}

/** Takes anything: what it is is for somebody else to judge. */
export function asAnything(value: unknown): unknown {
  return value;
}

/** Takes what `check` takes, or a field that is absent. */
export function asOptional<T>(check: Check<T>): Check<T | undefined> {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

/** Takes an array whose elements `check` takes. */
export function asArray<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path) => {
    assertType(value, path, 'array');
    for (const [index, element] of (value as T[]).entries()) check(element, `${path}[${index}]`);
    return value as T[];
  };
}

/**
 * Takes an object whose fields the checks take.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { asObject, asOptional, asPosition, asString, type Check } from '@chat/protocol/check';
 *
 * interface Bookmark {
 *   readonly room: string;
 *   readonly after?: number;
 * }
 * const asBookmark: Check<Bookmark> = asObject<Bookmark>({ room: asString, after: asOptional(asPosition) });
 *
 * assert.equal(asBookmark({ room: 'lobby' }, 'bookmark').room, 'lobby');
 * assert.throws(() => asBookmark({ room: 'lobby', after: -1 }, 'bookmark'), {
 *   code: 'ERR_PROTOCOL_FRAME_MALFORMED',
 *   message: 'bookmark.after must be an integer from 0 to 281474976710655, got -1',
 * });
 * ```
 */
export function asObject<T extends object>(checks: FieldChecks<T>): Check<T> {
  const fields = Object.entries<Check<unknown>>(checks);
  return (value, path) => {
    assertType(value, path, 'object');
    for (const [field, check] of fields) check((value as Record<string, unknown>)[field], `${path}.${field}`);
    return value as T;
  };
}

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` when `value` is not of this type of JSON */
export function assertType(value: unknown, path: string, type: string): void {
  if (typeOf(value) !== type) throw malformed(`${path} must be of type ${type}, got ${typeOf(value)}`);
}

function ofType<T>(type: string): Check<T> {
  return (value, path) => {
    assertType(value, path, type);
    return value as T;
  };
}

function mismatch(value: unknown, path: string, expected: string): ProtocolError {
  const seen = typeof value === 'number' ? value : typeOf(value);
  return malformed(`${path} must be ${expected}, got ${seen}`);
}

/** The type in the words of JSON, where an array is no object, and neither is null. */
function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}
