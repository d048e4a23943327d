/**
 * Refuses options that do not exist: `listen({ prot: 8080 })` would open another port without a word.
 *
 * A table of names stands beside the type of its options; the compiler keeps it complete.
 */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { Hooks } from './hooks.js';
import type { HttpOptions } from './http-options.js';

/** Options of `http`. */
export const HTTP_NAMES: OptionNames<HttpOptions> = {
  handler: true,
  allowedOrigins: true,
  allowedHosts: true,
  keepAliveTimeoutMs: true,
};

/** Hooks there are. */
export const HOOK_NAMES: OptionNames<Hooks> = {
  authenticate: true,
  isReserved: true,
  authorize: true,
  onMessage: true,
};

/**
 * @param method - named in the message, where the options are an argument of one
 * @param group - where the options stand within others, as in `tls.cert`
 * @throws ServerError `ERR_SERVER_BAD_OPTION` that names the first option which does not exist, and the one meant
 */
export function assertNames(
  options: unknown,
  names: Readonly<Record<string, true>>,
  { method = '', group = '' }: { readonly method?: string; readonly group?: string } = {},
): void {
  const problem = optionProblem(options, names, group);
  if (problem === undefined) return;
  throw new ServerError(ServerErrorCode.BadOption, method === '' ? problem : `${method}: ${problem}`);
}

/**
 * Hooks may be the methods of an object of a class, which has other properties too; what is a hook must be a function.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function assertHooks(hooks: Hooks): void {
  if (Object.getPrototypeOf(hooks ?? {}) === Object.prototype)
    assertNames(hooks, HOOK_NAMES, { group: 'hooks' });
  for (const name of Object.keys(HOOK_NAMES) as (keyof Hooks)[]) {
    if (!['function', 'undefined'].includes(typeof hooks[name])) {
      throw new ServerError(ServerErrorCode.BadOption, `hooks.${name} must be a function`);
    }
  }
}

/**
 * A port of the server (clock, logger, log) that a program implements has every method that is called.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function assertMethods(option: string, value: object, methods: readonly string[]): void {
  const has = Object(value) as Readonly<Record<string, unknown>>;
  const missing = methods.find((method) => typeof has[method] !== 'function');
  if (missing === undefined) return;
  throw new ServerError(ServerErrorCode.BadOption, `${option} must have a method ${missing}`);
}
