/** The schema of configuration files, from the table of options. */
import { flagOf, helpOf, OPTIONS, type OptionRow, variableOf } from '../command-line/options.js';
import { schemaOf } from '../command-line/values.js';

/** @returns the schema as JSON (JSON Schema, draft 2020-12) */
export function configSchema(): object {
  // A secret has no place in such a file, and the file names no other.
  const rows = Object.entries(OPTIONS).filter(([name, { type }]) => type !== 'secret' && name !== 'config');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of chat-server',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      ...Object.fromEntries(rows.map(([name, row]) => [name, propertyOf(name, row)])),
    },
  };
}

function propertyOf(name: string, row: OptionRow): object {
  const otherNames = row.onlyInFile ? '' : ` ${flagOf(name)}, ${variableOf(name)}`;
  const description = `${row.default === undefined ? helpOf(row) : row.text}.${otherNames}`;
  return { description, ...(row.default === undefined ? {} : { default: row.default }), ...schemaOf(row) };
}
