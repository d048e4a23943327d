/**
 * The fields of a request: where each stands, what it may be, and how it is described. One description checks input,
 * writes the OpenAPI document and makes the options of `chat-server admin`.
 */
import { ApiError } from './problem.js';

/** A field of a request. */
export interface Field<T> {
  readonly in: 'path' | 'query' | 'body';
  readonly isRequired: boolean;
  /** JSON Schema. */
  readonly schema: { readonly type: string | readonly string[]; readonly description: string } & object;
  /** The value of a field that is given: text in a path or a query, JSON in a body. @throws ApiError */
  read(value: unknown, name: string): T;
}

/** Fields by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of fields. */
export type Input<Described extends Fields> = {
  readonly [Name in keyof Described]: Described[Name] extends Field<infer T> ? T : never;
};

type Place = Pick<Field<unknown>, 'in'>;

const PATH: Place = { in: 'path' };
const QUERY: Place = { in: 'query' };
const BODY: Place = { in: 'body' };

/** A part of the path. */
export function pathText(description: string): Field<string> {
  return { ...PATH, isRequired: true, schema: { type: 'string', description }, read: asText };
}

/** A whole number as a part of the path. */
export function pathCount(description: string): Field<number> {
  const { schema, read } = queryCount(description, 1);
  return { ...PATH, isRequired: true, schema, read: read as Field<number>['read'] };
}

/** Text in a query. */
export function queryText(description: string): Field<string | undefined> {
  return { ...QUERY, isRequired: false, schema: { type: 'string', description }, read: asText };
}

/** A whole number in a query. */
export function queryCount(description: string, minimum: number): Field<number | undefined> {
  return {
    ...QUERY,
    isRequired: false,
    schema: { type: 'integer', description, ...{ minimum } },
    read: (value, name) => {
      const count = Number(value);
      if (/^\d{1,16}$/.test(String(value)) && count >= minimum && Number.isSafeInteger(count)) return count;
      throw mismatch(name, `a whole number from ${minimum}`, value);
    },
  };
}

/** Text in a body. */
export function bodyText(description: string): Field<string> {
  return { ...BODY, isRequired: true, schema: { type: 'string', description }, read: asText };
}

/** A short sentence in a body, of one line: people are shown it. */
export function bodySentence(description: string): Field<string | undefined> {
  return {
    ...BODY,
    isRequired: false,
    schema: { type: 'string', description, ...{ maxLength: MAX_SENTENCE } },
    read: (value, name) => {
      const text = asText(value, name);
      if (text.length <= MAX_SENTENCE && !UNSEEN.test(text)) return text;
      throw mismatch(name, `a line of at most ${MAX_SENTENCE} visible characters`, value);
    },
  };
}

const MAX_SENTENCE = 100;
/** Characters that end a line, or turn its direction. */
export const UNSEEN: RegExp = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u;

/** A field of a body that may be left out. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, isRequired: false };
}

/** A number in a body; `"Infinity"` as well where that is allowed. */
export function bodyNumber(
  description: string,
  minimum: number,
  mayBeInfinite = false,
): Field<number | undefined> {
  const type = mayBeInfinite ? ['integer', 'string'] : 'integer';
  const more = mayBeInfinite ? { pattern: '^Infinity$' } : {};
  return {
    ...BODY,
    isRequired: false,
    schema: { type, description, ...{ minimum, ...more } },
    read: (value, name) => {
      if (mayBeInfinite && value === 'Infinity') return Number.POSITIVE_INFINITY;
      if (Number.isSafeInteger(value) && (value as number) >= minimum) return value as number;
      throw mismatch(name, `a whole number from ${minimum}${mayBeInfinite ? ' or "Infinity"' : ''}`, value);
    },
  };
}

/** True or false in a body. */
export function bodyBoolean(description: string): Field<boolean | undefined> {
  return {
    ...BODY,
    isRequired: false,
    schema: { type: 'boolean', description },
    read: (value, name) => {
      if (typeof value === 'boolean') return value;
      // As the command line says it.
      if (value === 'true' || value === 'false') return value === 'true';
      throw mismatch(name, 'true or false', value);
    },
  };
}

/** One of some words in a body. */
export function bodyChoice(description: string, choices: readonly string[]): Field<string> {
  return {
    ...BODY,
    isRequired: true,
    schema: { type: 'string', description, ...{ enum: choices } },
    read: (value, name) => {
      const text = asText(value, name);
      if (choices.includes(text)) return text;
      throw mismatch(name, `one of ${choices.join(', ')}`, value);
    },
  };
}

/**
 * Reads the fields of one place.
 *
 * @throws ApiError `ERR_API_BAD_REQUEST` for a field that is missing, wrong, or not known
 */
export function readFields(
  fields: Fields,
  place: Field<unknown>['in'],
  given: ReadonlyMap<string, unknown>,
): object {
  const mine = Object.entries(fields).filter(([, field]) => field.in === place);
  for (const name of given.keys()) {
    if (mine.some(([known]) => known === name)) continue;
    const names = mine.map(([known]) => known).join(', ') || 'none';
    throw new ApiError(
      'ERR_API_BAD_REQUEST',
      `there is no field ${clip(name)} in the ${place}; there is ${names}`,
    );
  }
  return Object.fromEntries(
    mine.flatMap(([name, field]) => {
      if (given.has(name)) return [[name, field.read(given.get(name), name)]];
      if (field.isRequired) throw new ApiError('ERR_API_BAD_REQUEST', `${name} is missing`);
      return [];
    }),
  );
}

/** What a stranger wrote, short enough for a message, and of one line. */
export function clip(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

function asText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw mismatch(name, 'text', value);
  if (/\p{Cs}/u.test(value)) throw new ApiError('ERR_API_BAD_REQUEST', `${name} has half a surrogate pair`);
  return value;
}

function mismatch(name: string, expected: string, value: unknown): ApiError {
  const seen = typeof value === 'string' ? `"${clip(value)}"` : value === null ? 'null' : typeof value;
  return new ApiError('ERR_API_BAD_REQUEST', `${name} must be ${expected}, got ${seen}`);
}
