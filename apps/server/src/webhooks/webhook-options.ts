/** What a webhook is told to do: the value of `webhooks` in a configuration file, checked field by field. */
import { optionProblem } from '@chat/protocol/check';

/** What a webhook may be told of. */
export const WEBHOOK_EVENTS = [
  'message',
  'joined',
  'left',
  'renamed',
  'edited',
  'taken-back',
  'reacted',
  'room-changed',
  'room-opened',
  'session-opened',
  'session-ended',
  'kicked',
  'banned',
] as const;

/** One of {@link WEBHOOK_EVENTS}. */
export type WebhookEventKind = (typeof WEBHOOK_EVENTS)[number];

/** A webhook as it is configured. */
export interface WebhookOptions {
  /** Names it in metrics, in the log, and among the cursors that are kept. */
  readonly name: string;
  readonly url: string;
  readonly events: readonly WebhookEventKind[];
  /** `undefined`: all. Says nothing of events that are of no room. */
  readonly rooms: readonly string[] | undefined;
  /** File with the secret that deliveries are signed with. */
  readonly secretFile: string;
  /** An attempt that has no answer by then has failed. */
  readonly timeoutMs: number;
  /** What could not be delivered for so long is given up, and told as a gap. */
  readonly maxAgeMs: number;
  /** Pause after the first attempt that failed; it doubles each time. */
  readonly retryMs: number;
  /** The longest pause. */
  readonly maxRetryMs: number;
  /** Events of one delivery, at the most. */
  readonly maxEvents: number;
}

/** What is wrong with a value, and where in it. */
export class WebhookProblem extends Error {
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = 'WebhookProblem';
    this.path = path;
  }
}

/** Numbers of a webhook: default and bounds. */
const NUMBERS = {
  timeoutMs: {
    default: 10_000,
    least: 1,
    most: 600_000,
    text: 'an attempt without an answer has failed by then',
  },
  maxAgeMs: {
    default: 86_400_000,
    least: 0,
    most: 2_147_483_647,
    text: 'what failed for so long is given up, and told as a gap',
  },
  retryMs: {
    default: 1000,
    least: 1,
    most: 3_600_000,
    text: 'pause after the first failure; it doubles each time',
  },
  maxRetryMs: { default: 60_000, least: 1, most: 3_600_000, text: 'the longest pause' },
  maxEvents: { default: 100, least: 1, most: 1000, text: 'events of one delivery' },
} as const;

type Numbers = { readonly [Name in keyof typeof NUMBERS]: number };

const NAMES = {
  name: true,
  url: true,
  events: true,
  rooms: true,
  secretFile: true,
  ...NUMBERS,
};
const MAX_WEBHOOKS = 32;

/**
 * The webhooks in a value of JSON.
 *
 * @throws WebhookProblem
 */
export function readWebhooks(json: unknown): readonly WebhookOptions[] {
  if (!Array.isArray(json)) throw new WebhookProblem([], 'a list of webhooks is needed');
  if (json.length > MAX_WEBHOOKS) throw new WebhookProblem([], `${MAX_WEBHOOKS} webhooks at the most`);
  const found = json.map((item, index) => readWebhook(item, index));
  found.forEach(({ name }, index) => {
    if (found.findIndex((other) => other.name === name) === index) return;
    throw new WebhookProblem([index], `another webhook is called ${name}, too: give this one a "name"`);
  });
  return found;
}

/** A webhook for a URL, as the command line has it. */
export function simpleWebhook(
  url: string,
  secretFile: string,
  events: readonly string[] | undefined,
): WebhookOptions {
  return readWebhook({ url, secretFile, ...(events === undefined ? {} : { events }) }, 0);
}

function readWebhook(json: unknown, index: number): WebhookOptions {
  const problem = optionProblem(json, NAMES);
  if (problem !== undefined) {
    const unknown =
      typeof json === 'object'
        ? Object.keys(json ?? {}).find((key) => !Object.hasOwn(NAMES, key))
        : undefined;
    throw new WebhookProblem(unknown === undefined ? [index] : [index, unknown], problem);
  }
  const fields = json as Readonly<Record<string, unknown>>;
  const fail = (field: string, message: string): never => {
    throw new WebhookProblem(Object.hasOwn(fields, field) ? [index, field] : [index], `${field}: ${message}`);
  };
  const text = (field: string): string => {
    const value = fields[field];
    return typeof value === 'string' && value !== '' ? value : fail(field, 'text is needed');
  };
  const list = (field: string): readonly string[] | undefined => {
    const value = fields[field];
    if (value === undefined) return undefined;
    const isList =
      Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
    return isList ? (value as string[]) : fail(field, 'a list of names is needed');
  };
  const url = urlOf(text('url')) ?? fail('url', 'an address such as https://example.org/hook is needed');
  const events = list('events') ?? WEBHOOK_EVENTS;
  for (const event of events) {
    if (WEBHOOK_EVENTS.includes(event as WebhookEventKind)) continue;
    fail('events', `there is no event ${event}; there is ${WEBHOOK_EVENTS.join(', ')}`);
  }
  const numbers = Object.entries(NUMBERS).map(([field, { default: fallback, least, most }]) => {
    const value = fields[field] ?? fallback;
    const isGood = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
    return [field, isGood ? value : fail(field, `a whole number from ${least} to ${most} is needed`)];
  });
  return {
    name: fields.name === undefined ? `${url.origin}${url.pathname}` : text('name'),
    url: url.href,
    events: events as readonly WebhookEventKind[],
    rooms: list('rooms'),
    secretFile: text('secretFile'),
    ...(Object.fromEntries(numbers) as Numbers),
  };
}

function urlOf(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
}

/** The schema of that value. */
export function webhooksSchema(): object {
  const texts = { type: 'array', minItems: 1, items: { type: 'string' } };
  const numbers = Object.entries(NUMBERS).map(([name, { default: fallback, least, most, text }]) => [
    name,
    { description: text, type: 'integer', default: fallback, minimum: least, maximum: most },
  ]);
  return {
    type: 'array',
    maxItems: MAX_WEBHOOKS,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['url', 'secretFile'],
      properties: {
        name: {
          description: 'names it in metrics and in the log (default: the URL without its query)',
          type: 'string',
          minLength: 1,
        },
        url: { type: 'string', pattern: '^https?://' },
        events: {
          description: 'all, unless said',
          type: 'array',
          minItems: 1,
          items: { enum: WEBHOOK_EVENTS },
        },
        rooms: { description: 'all, unless said', ...texts },
        secretFile: {
          description: 'file with the secret that signs deliveries',
          type: 'string',
          minLength: 1,
        },
        ...Object.fromEntries(numbers),
      },
    },
  };
}
