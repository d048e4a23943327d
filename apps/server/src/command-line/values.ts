/**
 * Values of options: text to what it means, or a sentence that says what is needed; and the same for JSON, with its schema.
 */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { readWebhooks, webhooksSchema } from '../webhooks/webhook-options.js';
import type { OptionRow, OptionTypes } from './options.js';

const MAX_WORKERS = 128;
const MAX_PORT = 65_535;

type Parser<T> = (text: string, row: OptionRow) => T;

/** How the text of a flag, or of a variable, is read. A switch has none on the command line: it is there or not. */
const PARSERS: { readonly [Type in keyof OptionTypes]: Parser<OptionTypes[Type]> } = {
  switch: (text) => {
    if (/^(true|1)$/i.test(text)) return true;
    if (/^(false|0)$/i.test(text)) return false;
    throw new InvalidArgumentError('true or false is needed.');
  },
  text: (text) => text,
  secret: (text) => text,
  path: (text) => text,
  port: (text) => {
    const port = Number(text);
    if (/^\d+$/.test(text) && port <= MAX_PORT) return port;
    throw new InvalidArgumentError(`a port is a number from 0 to ${MAX_PORT}.`);
  },
  count: wholeNumber,
  // Whether the number is within its bounds is checked by the server.
  limit: (text, { limit }) =>
    limit?.mayBeInfinite && text === 'Infinity' ? Number.POSITIVE_INFINITY : wholeNumber(text),
  workers: (text) => {
    if (text === 'auto') return availableParallelism();
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= 1 && count <= MAX_WORKERS) return count;
    throw new InvalidArgumentError(`a number from 1 to ${MAX_WORKERS} is needed, or auto.`);
  },
  mode: (text) => {
    if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
    throw new InvalidArgumentError('permissions are three octal digits.');
  },
  // Nothing that could end the directive of the policy that it goes into.
  origin: (text) => {
    if (text === 'self') return "'self'";
    if (/^https?:\/\/[\w.*:[\]-]+$/.test(text)) return text;
    throw new InvalidArgumentError('an origin such as https://www.example.org is needed, or self.');
  },
  choice: (text, { choices = [] }) => {
    if (choices.includes(text)) return text;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  },
  webhooks: (text) => readWebhooks(JSON.parse(text)),
};

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number is needed.');
}

/**
 * The value that a text stands for; one of them, where the option is a list.
 *
 * @throws InvalidArgumentError with a sentence that says what is needed
 */
export function parseValue(text: string, row: OptionRow): unknown {
  return PARSERS[row.type](text, row);
}

/**
 * The value that JSON of a configuration file stands for.
 *
 * @throws InvalidArgumentError likewise
 */
export function readJsonValue(json: unknown, row: OptionRow): unknown {
  if (row.type === 'webhooks') return readWebhooks(json);
  if (row.list) {
    const items = Array.isArray(json) ? json : [json];
    return items.map((item) => readItem(item, row));
  }
  return readItem(json, row);
}

function readItem(json: unknown, row: OptionRow): unknown {
  const { type, words } = jsonOf(row);
  const isWord = typeof json === 'string' && words.includes(json);
  const isOfType = type === 'integer' ? typeof json === 'number' : typeof json === type;
  if (!isOfType && !isWord) {
    const needed = [type === 'integer' ? 'a number' : `a ${type}`, ...words.map((word) => `"${word}"`)];
    throw new InvalidArgumentError(
      `${needed.join(' or ')} is needed${row.list ? ', or a list' : ''}, got ${nameOf(json)}.`,
    );
  }
  return parseValue(String(json), row);
}

/** The schema of the value of an option (JSON Schema, draft 2020-12). */
export function schemaOf(row: OptionRow): object {
  if (row.type === 'webhooks') return webhooksSchema();
  const { type, words } = jsonOf(row);
  const plain = { type, ...bounds(row), ...(row.choices ? { enum: row.choices } : {}) };
  const item = words.length === 0 ? plain : { anyOf: [plain, { enum: words }] };
  return row.list ? { anyOf: [item, { type: 'array', items: item }] } : item;
}

/** How a value is written in JSON: its type, and words that stand for more. */
function jsonOf({ type, limit }: OptionRow): {
  readonly type: 'boolean' | 'integer' | 'string';
  readonly words: readonly string[];
} {
  switch (type) {
    case 'switch':
      return { type: 'boolean', words: [] };
    case 'port':
    case 'count':
      return { type: 'integer', words: [] };
    case 'workers':
      return { type: 'integer', words: ['auto'] };
    case 'limit':
      return { type: 'integer', words: limit?.mayBeInfinite ? ['Infinity'] : [] };
    default:
      return { type: 'string', words: [] };
  }
}

function bounds({ type, limit }: OptionRow): object {
  switch (type) {
    case 'port':
      return { minimum: 0, maximum: MAX_PORT };
    case 'workers':
      return { minimum: 1, maximum: MAX_WORKERS };
    case 'count':
      return { minimum: 0 };
    case 'limit':
      return { minimum: limit?.least ?? 1, ...(limit?.most === undefined ? {} : { maximum: limit.most }) };
    case 'mode':
      return { pattern: '^0?[0-7]{3}$' };
    default:
      return {};
  }
}

function nameOf(json: unknown): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  return typeof json === 'object' ? 'an object' : `a ${typeof json}`;
}
