/**
 * The names of all options, beside those of `createChatServer` itself (`options.ts`). What has another name is refused:
 * `listen({ prot: 8080 })` would open another port without a word.
 *
 * The compiler keeps the tables complete.
 */
import { type OptionNames, optionProblem } from '@chat/protocol';
import type { HttpOptions } from '../dialects/http/http-dialect.js';
import type { ListenAddress } from '../server/chat-server.js';
import type { DrainOptions } from '../server/drain.js';
import type { TlsCertificate, TlsCertificates, TlsOptions } from '../server/tls.js';
import { ServerError, ServerErrorCode } from './errors.js';
import type { Hooks } from './hooks.js';

/** Options of `listen`. */
export const LISTEN_NAMES: OptionNames<ListenAddress> = {
  port: true,
  host: true,
  path: true,
  mode: true,
  group: true,
  tls: true,
};

/** Options of `tls`. */
export const TLS_NAMES: OptionNames<TlsOptions> = {
  cert: true,
  key: true,
  serverNames: true,
  clientCa: true,
  required: true,
  minVersion: true,
};

/** What `reloadCertificate` takes. */
export const CERTIFICATES_NAMES: OptionNames<TlsCertificates> = { cert: true, key: true, serverNames: true };

/** What each of `serverNames` has. */
export const CERTIFICATE_NAMES: OptionNames<TlsCertificate> = { cert: true, key: true };

/** Options of `http`. */
export const HTTP_NAMES: OptionNames<HttpOptions> = {
  handler: true,
  allowedOrigins: true,
  allowedHosts: true,
  keepAliveTimeoutMs: true,
};

/** Hooks there are. */
export const HOOK_NAMES: OptionNames<Hooks> = { authenticate: true, authorize: true, onMessage: true };

/** Options of `drain`. */
export const DRAIN_NAMES: OptionNames<DrainOptions> = { deadlineMs: true, spreadMs: true, signal: true };

/** Options of `on`. */
export const ON_NAMES: OptionNames<{ readonly signal?: AbortSignal }> = { signal: true };

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

/** Certificates, those of `serverNames` included. */
export function assertTlsNames(
  tls: TlsCertificates,
  names: Readonly<Record<string, true>>,
  where: { readonly method: string; readonly group?: string },
): void {
  assertNames(tls, names, where);
  const { method, group } = where;
  const path = group === undefined ? 'serverNames' : `${group}.serverNames`;
  for (const [host, certificate] of Object.entries(tls.serverNames ?? {})) {
    assertNames(certificate, CERTIFICATE_NAMES, { method, group: `${path}['${host}']` });
  }
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
