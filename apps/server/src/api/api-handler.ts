/**
 * The HTTP API: a request is authorized, routed, read, checked and carried out, in this order, and answered in JSON.
 * The table of operations says what there is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@chat/server';
import { clip, readFields } from './fields.js';
import { IdempotencyKeys, type OncePort } from './idempotency.js';
import { openApiDocument } from './openapi.js';
import { API_PATH, type ApiContext, OPERATIONS, type Operation, runOperation } from './operations.js';
import { type ApiAnswer, ApiError, internalProblem, problemAnswer } from './problem.js';
import type { Authorizer } from './tokens.js';

/** What JSON makes of a byte of text at the most, as `\u0000`. */
const ESCAPED_BYTES = 6;
/** What a body has besides its text. */
const OTHER_FIELDS_BYTES = 4096;

/** What the API needs. */
export interface ApiOptions extends ApiContext {
  readonly authorizer: Authorizer;
  /** Address of the client that a request is of. */
  addressOf(request: IncomingMessage): string;
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info'>;
  /** Of this program. */
  readonly version: string;
  /** Sees to it that a request with a key is carried out once. @defaultValue within this process */
  readonly once?: OncePort;
}

/** Answers requests below {@link API_PATH}. */
export type ApiHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Makes the handler of one server. */
export function createApiHandler(options: ApiOptions): ApiHandler {
  const keys = options.once ?? new IdempotencyKeys();
  const document = openApiDocument(options.version);
  const answer = async (request: IncomingMessage): Promise<ApiAnswer> => {
    const owner = options.authorizer.authorize(request.headers.authorization, options.addressOf(request));
    const [path = '', query] = (request.url ?? '').slice(API_PATH.length).split('?', 2);
    if (path === '/openapi.json' && request.method === 'GET') return { status: 200, body: document };
    const { operation, params } = route(request.method ?? '', path);
    const body = await readBody(request, options.server.limits().maxFrameBytes);
    const input = {
      ...readFields(operation.fields, 'path', params),
      ...readFields(operation.fields, 'query', onceEach(new URLSearchParams(query))),
      ...readFields(operation.fields, 'body', body),
    };
    const run = async (): Promise<ApiAnswer> => {
      const done = await attempt(() => runOperation(operation, options, input), options);
      if (operation.method !== 'GET') {
        options.logger.info(
          { operation: operation.id, status: done.status, by: owner },
          'a request of the API',
        );
      }
      return done;
    };
    const key = request.headers['idempotency-key'];
    if (key === undefined || operation.method !== 'POST') return run();
    return keys.once(owner, String(key), JSON.stringify([operation.id, input]), run);
  };
  return async (request, response) => send(request, response, await attempt(() => answer(request), options));
}

/** Errors that have an answer are answered; others are logged. */
async function attempt(run: () => Promise<ApiAnswer>, { logger }: ApiOptions): Promise<ApiAnswer> {
  try {
    return await run();
  } catch (error) {
    const answer = problemAnswer(error);
    if (answer) return answer;
    logger.error({ err: error }, 'a request of the API failed');
    return internalProblem();
  }
}

/** @throws ApiError `ERR_API_NOT_FOUND`, `ERR_API_METHOD_NOT_ALLOWED`, `ERR_API_BAD_REQUEST` */
function route(
  method: string,
  path: string,
): { readonly operation: Operation; readonly params: ReadonlyMap<string, string> } {
  const parts = path.split('/').slice(1).map(decoded);
  const here = OPERATIONS.filter(({ path: template }) => isLike(template, parts));
  if (here.length === 0) throw new ApiError('ERR_API_NOT_FOUND', 'there is nothing at this path');
  const operation = here.find((candidate) => candidate.method === method);
  if (!operation) {
    const allowed = here.map((candidate) => candidate.method).join(', ');
    throw new ApiError('ERR_API_METHOD_NOT_ALLOWED', `this path takes ${allowed}`, { allow: allowed });
  }
  const names = operation.path.split('/').slice(1);
  const params = names.flatMap((name, i) => (isParam(name) ? [[name.slice(1, -1), parts[i]!] as const] : []));
  return { operation, params: new Map(params) };
}

function isLike(template: string, parts: readonly string[]): boolean {
  const wanted = template.split('/').slice(1);
  return wanted.length === parts.length && wanted.every((name, i) => isParam(name) || name === parts[i]);
}

function isParam(name: string): boolean {
  return name.startsWith('{');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError('ERR_API_BAD_REQUEST', `the path is not UTF-8 in percent encoding: ${clip(part)}`);
  }
}

function onceEach(params: URLSearchParams): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of params) {
    if (fields.has(name)) throw new ApiError('ERR_API_BAD_REQUEST', `${clip(name)} is there twice`);
    fields.set(name, value);
  }
  return fields;
}

/** The fields of the body; none where there is no body. */
async function readBody(request: IncomingMessage, maxFrameBytes: number): Promise<Map<string, unknown>> {
  const maxBytes = maxFrameBytes * ESCAPED_BYTES + OTHER_FIELDS_BYTES;
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (bytes === 0) return new Map();
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new ApiError('ERR_API_NOT_JSON', 'the body must be application/json');
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new ApiError('ERR_API_BAD_REQUEST', 'the body is not JSON in UTF-8');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError('ERR_API_BAD_REQUEST', 'the body must be an object');
  }
  return new Map(Object.entries(body));
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError('ERR_API_BODY_TOO_LARGE', `a body has ${maxBytes} bytes at the most`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: ApiAnswer,
): void {
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // The unread rest of a body must not be taken for the next request.
    ...(request.complete ? {} : { Connection: 'close' }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
