/**
 * What the server counts, as Prometheus reads it, for those who have the token.
 *
 * Totals stay where they are counted and are read when somebody asks, so that metrics cost the hot path
 * nothing. Only the duration of fan-out is observed as it happens, once per turn.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { ChatServer, ServerStats } from '@chat/server';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { sendText } from '../http/web.js';
import { Batched } from './batched.js';

type Total = {
  [Name in keyof ServerStats]: ServerStats[Name] extends number ? Name : never;
}[keyof ServerStats];

const COUNTERS = [
  ['chat_connections_total', 'connections', 'Connections that were accepted'],
  ['chat_connections_refused_total', 'refusedConnections', 'Connections that were refused at the door'],
  ['chat_sessions_opened_total', 'sessionsOpened', 'Sessions that began'],
  ['chat_sessions_resumed_total', 'sessionsResumed', 'Sessions that came back after a lost connection'],
  [
    'chat_sessions_away_total',
    'sessionsAway',
    'Sessions whose connection broke, and that might have come back',
  ],
  [
    'chat_gaps_total',
    'gapsTold',
    'Times that a client came back for what was no longer held, and was told so',
  ],
  ['chat_messages_in_total', 'messagesIn', 'Messages that were taken'],
  ['chat_messages_out_total', 'entriesOut', 'Messages and notices that were written to peers'],
  ['chat_messages_refused_total', 'messagesRefused', 'Messages that were refused'],
  ['chat_bytes_in_total', 'bytesIn', 'Bytes received from peers'],
  ['chat_bytes_out_total', 'bytesOut', 'Bytes written to peers'],
  ['chat_slices_out_total', 'slicesOut', 'Slices of a log that were written to a peer'],
] as const satisfies readonly (readonly [string, Total, string])[];

const GAUGES = [
  ['chat_connections', 'openConnections', 'Connections that are open'],
  ['chat_sessions', 'sessions', 'Sessions, lost ones that may still resume included'],
  ['chat_rooms', 'rooms', 'Rooms'],
  ['chat_log_bytes', 'logBytes', 'Bytes of history of all rooms'],
] as const satisfies readonly (readonly [string, Total, string])[];

/** Which policy met a reader that fell behind what the log holds. */
const DROPS = [
  ['close', 'readersClosed'],
  ['skip', 'readersSkipped'],
] as const satisfies readonly (readonly [string, Total])[];

/** From 10 µs for a quiet room to 1 s, at which everybody notices. */
const FAN_OUT_BUCKETS_S = [0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

/** Registers everything that a server counts, under `chat_…`, and the usual numbers of Node. */
export function registerMetrics(server: ChatServer): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const [name, total, help] of COUNTERS) {
    new Counter({
      name,
      help,
      registers: [register],
      collect() {
        this.reset();
        this.inc(server.stats()[total]);
      },
    });
  }
  for (const [name, total, help] of GAUGES) {
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(server.stats()[total]);
      },
    });
  }
  new Gauge({
    name: 'chat_max_lag_bytes',
    help: 'How far behind the reader is that is furthest behind',
    registers: [register],
    collect() {
      this.set(server.maxLagBytes());
    },
  });
  new Counter({
    name: 'chat_slow_readers_total',
    help: 'Readers that fell behind what the log holds, by what was done',
    labelNames: ['policy'],
    registers: [register],
    collect() {
      this.reset();
      const stats = server.stats();
      for (const [policy, total] of DROPS) this.inc({ policy }, stats[total]);
    },
  });
  new Counter({
    name: 'chat_closes_total',
    help: 'Connections that the server closed, by close code',
    labelNames: ['code'],
    registers: [register],
    collect() {
      this.reset();
      for (const [code, count] of server.stats().closes) this.inc({ code }, count);
    },
  });
  const fanOut = new Histogram({
    name: 'chat_fan_out_seconds',
    help: 'How long it took to write what is new to everybody who is behind, per turn',
    buckets: FAN_OUT_BUCKETS_S,
    registers: [register],
    collect: () => turns.hand(),
  });
  const turns = new Batched((seconds) => fanOut.observe(seconds));
  server.on('turn-ended', ({ durationMs }) => turns.add(durationMs / 1000));
  return register;
}

/**
 * Serves the metrics of `register` to those who have `token`. That a request comes from this machine says nothing: a
 * proxy that runs here, and does not say so, makes everybody local.
 *
 * @param token undefined: nobody has it
 * @param isOpen whether everybody is let in where there is no token: on a listener that serves nothing else
 */
export function createMetricsHandler(
  register: Pick<Registry, 'metrics' | 'contentType'>,
  token: string | undefined,
  isOpen = false,
): RequestListener {
  return (request, response) => {
    if (!(isOpen && token === undefined) && !hasToken(request, token)) {
      if (token === undefined)
        return sendText(response, 403, 'metrics need a token, see --metrics-token-file');
      return sendText(response, 401, 'a token is needed', { 'WWW-Authenticate': 'Bearer' });
    }
    register.metrics().then(
      (text) => sendText(response, 200, text.trimEnd(), { 'Content-Type': register.contentType }),
      (error: unknown) => sendText(response, 500, `metrics failed: ${String(error)}`),
    );
  };
}

function hasToken({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return false;
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Of equal length for all, as the comparison needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
