/**
 * What is in force, and who said so. A flag counts before a variable of the environment, that before the configuration
 * file, and that before the default.
 */
import { type ConfiguredValue, readConfig, readConfigText } from './config-file.js';
import { type Environment, readEnvironment } from './environment.js';
import { flagOf, OPTIONS, type OptionName, type OptionRow, type Settings, variableOf } from './options.js';

/** Who said what an option is. */
export type Source =
  | { readonly kind: 'flag' | 'environment' | 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line: number };

/** The value of every option, and where each comes from. */
export interface SourcedSettings {
  readonly settings: Settings;
  /** Of options that have a value. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The configuration file as it was read. */
  readonly configText: string | undefined;
}

/**
 * Puts flags, environment, file and defaults together.
 *
 * @param configText - of a file that somebody else has read already
 * @throws UsageError
 */
export function resolveSettings(
  flags: ReadonlyMap<string, unknown>,
  environment: Environment,
  configText?: string,
): SourcedSettings {
  const variables = readEnvironment(environment);
  const path = (flags.get('config') ?? variables.get('config')) as string | undefined;
  const text = path === undefined ? undefined : (configText ?? readConfigText(path));
  const file: ReadonlyMap<string, ConfiguredValue> =
    path === undefined || text === undefined ? new Map() : readConfig(path, text);
  const sources = new Map<string, Source>();
  const settings: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(OPTIONS)) {
    const configured = file.get(name);
    if (flags.has(name)) {
      settings[name] = flags.get(name);
      sources.set(name, { kind: 'flag' });
    } else if (variables.has(name)) {
      settings[name] = variables.get(name);
      sources.set(name, { kind: 'environment' });
    } else if (configured) {
      settings[name] = configured.value;
      sources.set(name, { kind: 'file', path: path!, line: configured.line });
    } else {
      settings[name] = defaultOf(row);
      if (settings[name] !== undefined) sources.set(name, { kind: 'default' });
    }
  }
  return { settings: settings as unknown as Settings, sources, configText: text };
}

/** Where a value comes from, in words. */
export function sourceText(name: string, source: Source): string {
  switch (source.kind) {
    case 'flag':
      return flagOf(name);
    case 'environment':
      return variableOf(name);
    case 'file':
      return `${source.path}:${source.line}`;
    case 'default':
      return 'default';
  }
}

/**
 * A sentence about options, with the places of those that are not on the command line: nobody finds them otherwise.
 *
 * @param names of options that it may be about
 */
export function withPlaces(
  message: string,
  names: readonly string[],
  { sources }: Pick<SourcedSettings, 'sources'>,
): string {
  const places = names.flatMap((name) => {
    const source = sources.get(name);
    if (!source || source.kind === 'flag' || source.kind === 'default') return [];
    return [
      `${OPTIONS[name as OptionName].onlyInFile ? name : flagOf(name)} is from ${sourceText(name, source)}`,
    ];
  });
  return places.length === 0 ? message : `${message} (${places.join(', ')})`;
}

function defaultOf(row: OptionRow): unknown {
  return row.type === 'switch' ? false : row.default;
}
