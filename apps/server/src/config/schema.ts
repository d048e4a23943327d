/** The schema of configuration files, from the table of options. */
import { flagOf, OPTIONS, variableOf } from '../command-line/options.js';
import { schemaOf } from '../command-line/values.js';

/** @returns the schema as JSON (JSON Schema, draft 2020-12) */
export function configSchema(): object {
  const properties = Object.entries(OPTIONS).flatMap(([name, row]) => {
    // A secret has no place in such a file, and the file names no other.
    if (row.type === 'secret' || name === 'config') return [];
    const description = `${row.text}. ${flagOf(name)}, ${variableOf(name)}`;
    const fallback =
      row.default !== undefined
        ? { default: row.default }
        : row.defaultText === undefined
          ? {}
          : {
              description: `${row.text} (default: ${row.defaultText}). ${flagOf(name)}, ${variableOf(name)}`,
            };
    return [[name, { description, ...fallback, ...schemaOf(row) }]];
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of chat-server',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
  };
}
