/** Options in the environment: `CHAT_PORT=7000` is `--port 7000`. */
import { optionProblem } from '@chat/protocol/check';
import { InvalidArgumentError } from 'commander';
import { OPTIONS, variableOf } from './options.js';
import { UsageError } from './usage-error.js';
import { parseValue } from './values.js';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'CHAT_';
/** Kubernetes tells pods where services are, in variables that are named after the service. */
const SERVICE_LINK = /^tcp:\/\//;

/**
 * Reads what the environment says, by the name of the option. An empty variable says nothing, but for a secret: one
 * that is empty is a mistake. A list is written with spaces or commas.
 *
 * @throws UsageError with the name of the variable
 */
export function readEnvironment(environment: Environment): ReadonlyMap<string, unknown> {
  const given = new Map<string, unknown>();
  for (const [name, row] of Object.entries(OPTIONS)) {
    if (row.onlyInFile) continue;
    const variable = variableOf(name);
    const text = environment[variable];
    if (text === undefined || (text === '' && row.type !== 'secret')) continue;
    try {
      const items = row.list ? text.split(/[\s,]+/).filter((item) => item !== '') : [text];
      const values = items.map((item) => parseValue(item, row));
      given.set(name, row.list ? values : values[0]);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      const hint = SERVICE_LINK.test(text)
        ? ' Kubernetes has set it for a service of that name: enableServiceLinks: false in the pod leaves it out.'
        : '';
      throw new UsageError(`${variable} is ${JSON.stringify(text)}: ${error.message}${hint}`);
    }
  }
  return given;
}

/** Sentences about variables that are nearly those of an option: nobody reads them. Others may be of another program. */
export function strayVariables(environment: Environment): readonly string[] {
  // The prefix, which all have, makes none of them more alike.
  const known = Object.fromEntries(
    Object.keys(OPTIONS).map((name) => [variableOf(name).slice(PREFIX.length), true]),
  );
  return Object.keys(environment).flatMap((variable) => {
    const name = variable.slice(PREFIX.length);
    if (!variable.startsWith(PREFIX) || Object.hasOwn(known, name)) return [];
    const [, meant] = /did you mean "(\w+)"/.exec(optionProblem({ [name]: true }, known) ?? '') ?? [];
    if (meant === undefined) return [];
    return [`${variable} in the environment is no option; did you mean ${PREFIX}${meant}?`];
  });
}
