/** The OpenAPI document, from the table of operations. */
import { API_PATH, OPERATIONS, type Operation } from './operations.js';
import { ApiProblem, SERVER_STATUS } from './problem.js';

/** @returns the document as JSON */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const path = `${API_PATH}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(operation) };
  }
  const codes = [...Object.keys(ApiProblem), ...Object.keys(SERVER_STATUS)].sort();
  return {
    openapi: '3.1.0',
    info: { title: 'chat-server', version },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Problem: {
          description: 'why it was not done',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      schemas: {
        Problem: {
          type: 'object',
          description: 'RFC 9457',
          required: ['title', 'status', 'code', 'detail'],
          properties: {
            title: { type: 'string' },
            status: { type: 'integer' },
            code: { type: 'string', enum: codes },
            detail: { type: 'string' },
          },
        },
      },
    },
  };
}

function operationObject({ id, method, summary, fields, status, answer }: Operation): object {
  const all = Object.entries(fields);
  const parameters = all.flatMap(([name, { in: place, isRequired, schema }]) =>
    place === 'body' ? [] : [{ name, in: place, required: isRequired, schema }],
  );
  const body = all.filter(([, field]) => field.in === 'body');
  const required = body.flatMap(([name, { isRequired }]) => (isRequired ? [name] : []));
  const properties = Object.fromEntries(body.map(([name, { schema }]) => [name, schema]));
  const schema = { type: 'object', additionalProperties: false, required, properties };
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    schema: { type: 'string', maxLength: 128 },
  };
  const content = status === 204 ? {} : { content: { 'application/json': { schema: { type: 'object' } } } };
  return {
    operationId: id,
    summary,
    parameters: method === 'POST' ? [...parameters, key] : parameters,
    ...(body.length === 0
      ? {}
      : { requestBody: { required: required.length > 0, content: { 'application/json': { schema } } } }),
    responses: {
      [status]: { description: answer, ...content },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}
