/**
 * A configuration file: an object of JSON whose keys are the names of options. It may have comments, which JSON has not.
 * Each problem is told with the file, the line and the key.
 *
 * No secret stands in it: such files are copied, committed and shown. They name the files that hold secrets instead.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { optionProblem } from '@chat/protocol/check';
import { InvalidArgumentError } from 'commander';
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { type WebhookOptions, WebhookProblem } from '../webhooks/webhook-options.js';
import { OPTIONS, type OptionName, type OptionRow } from './options.js';
import { UsageError } from './usage-error.js';
import { readJsonValue } from './values.js';

/** Largest configuration file. */
export const MAX_CONFIG_BYTES = 65_536;

/** Names the schema of the file, for editors. */
const SCHEMA_KEY = '$schema';

/** What a file says of an option, and where. */
export interface ConfiguredValue {
  readonly value: unknown;
  /** Of the file, from 1 on. */
  readonly line: number;
}

/**
 * Reads the text of a configuration file.
 *
 * @throws UsageError when it cannot be read
 */
export function readConfigText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read the configuration file: ${(error as Error).message}`);
  }
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new UsageError(
      `${path} has ${bytes.length} bytes: a configuration file has ${MAX_CONFIG_BYTES} at the most`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${path} is not UTF-8`);
  }
}

/**
 * The options that a configuration file sets, by name.
 *
 * @param path - of the file: relative paths in it begin at its folder
 * @throws UsageError that begins with path and line
 */
export function readConfig(path: string, text: string): ReadonlyMap<string, ConfiguredValue> {
  const fail = (offset: number, problem: string): never => {
    throw new UsageError(`${path}:${lineOf(text, offset)}: ${problem}`);
  };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: false });
  const [first] = errors;
  if (first) fail(first.offset, `this is no JSON: ${inWords(first)}`);
  if (root?.type !== 'object')
    return fail(root?.offset ?? 0, 'a configuration file is an object, as { "port": 7000 }');
  const given = new Map<string, ConfiguredValue>();
  for (const property of root.children ?? []) {
    const [keyNode, valueNode] = property.children as [Node, Node];
    const key = keyNode.value as string;
    if (key === SCHEMA_KEY) continue;
    const problem = problemOf(key, given);
    if (problem !== undefined) fail(keyNode.offset, problem);
    const row = OPTIONS[key as OptionName];
    try {
      const value = readJsonValue(getNodeValue(valueNode), row);
      given.set(key, { value: resolvePaths(value, row, path), line: lineOf(text, keyNode.offset) });
    } catch (error) {
      if (error instanceof WebhookProblem) {
        const place = findNodeAtLocation(valueNode, [...error.path]) ?? valueNode;
        const names = error.path.map((step) => (typeof step === 'number' ? `[${step}]` : ''));
        fail(place.offset, `${key}${names.join('')}: ${error.message}`);
      }
      if (!(error instanceof InvalidArgumentError)) throw error;
      fail(keyNode.offset, `${key}: ${error.message}`);
    }
  }
  return given;
}

function problemOf(key: string, given: ReadonlyMap<string, ConfiguredValue>): string | undefined {
  if (!Object.hasOwn(OPTIONS, key)) return optionProblem({ [key]: true }, OPTIONS);
  const before = given.get(key);
  if (before) return `"${key}" is there twice, first in line ${before.line}`;
  if (key === 'config')
    return '"config" stands on the command line, or in CHAT_CONFIG: a file names no other';
  if (OPTIONS[key as OptionName].type !== 'secret') return undefined;
  const file = `${key}File`;
  const instead = Object.hasOwn(OPTIONS, file)
    ? `: put it into a file of its own, and name that with "${file}"`
    : '';
  return `"${key}" is a secret, and does not belong here${instead}`;
}

function resolvePaths(value: unknown, { type }: OptionRow, path: string): unknown {
  const from = dirname(path);
  if (type === 'path') return resolve(from, value as string);
  if (type !== 'webhooks') return value;
  const webhooks = value as readonly WebhookOptions[];
  return webhooks.map((webhook) => ({ ...webhook, secretFile: resolve(from, webhook.secretFile) }));
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `CommaExpected` as "comma expected". */
function inWords({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
}
