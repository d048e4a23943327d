/**
 * The pictures of a report. Each comes with a sentence that says what is to be seen in it, made of the same
 * numbers (`prose/prose.md`).
 */
import * as Plot from '@observablehq/plot';
import type { PairFigure } from '../../pairs/benchmark.js';
import type { Family } from '../../ways/way.js';
import type { CompareReport } from '../figures.js';
import { cpuOfSmall, quotesFrom } from '../prose/quotes.js';
import { lineOf, rankRoundTrips, tooBusy } from '../prose/ranking.js';
import { sayRank } from '../prose/sentences.js';
import { say } from '../prose/template.js';
import { formatBytes, formatCount, formatNs } from '../units.js';
import { familyColour } from './chart-style.js';
import { drawLines, drawRows, logAxis, powersOfTwo, type Series, sizeAxis } from './charts.js';

/** One picture. */
export interface Picture {
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  /** Inline SVG that takes its text colour from the page. */
  readonly svg: string;
}

/** Lines that tell the story; all of them would be a thicket. */
const SHOWN = [
  'shared-words',
  'shm-channel-polled',
  'shm-channel',
  'unix',
  'tcp',
  'websocket',
  'chat-tcp',
  'process-send',
];

/** Draws what the report has figures for. */
export function drawPictures(report: CompareReport): Picture[] {
  const pictures = [drawRoundTrips(report)];
  pictures.push(drawDistribution(report));
  const shown = report.transports.filter(({ id, throughput }) => SHOWN.includes(id) && throughput.length > 1);
  if (shown.length > 0) pictures.push(drawMessages(shown), drawBytes(shown));
  if (report.fanout.windows.length > 0) pictures.push(drawFanout(report));
  if (report.transports.some((row) => cpuOfSmall(row))) pictures.push(drawCpu(report));
  return pictures;
}

/** The main picture: where half and where nearly all of the round trips lie, for every line. */
function drawRoundTrips(report: CompareReport): Picture {
  const rows = report.transports
    .filter((row) => row.roundTrip)
    .map((row) => ({
      title: row.title,
      family: row.family,
      p50: row.roundTrip!.summary.p50Ns,
      p99: row.roundTrip!.summary.p99Ns,
    }))
    .sort((left, right) => left.p50 - right.p50);
  const titles = rows.map((row) => row.title);
  const svg = drawRows(
    titles,
    { aroundRows: 84, marginRight: 130 },
    {
      x: { type: 'log', label: 'round trip (logarithmic) →', tickFormat: formatNs, ticks: 6 },
      marks: [
        Plot.ruleY(rows, {
          y: 'title',
          x1: 'p50',
          x2: 'p99',
          stroke: 'currentColor',
          strokeOpacity: 0.45,
          strokeWidth: 3,
        }),
        Plot.tickX(rows, { y: 'title', x: 'p99', stroke: 'currentColor', strokeWidth: 2 }),
        Plot.dot(rows, {
          y: 'title',
          x: 'p50',
          r: 6,
          fill: (row: { family: Family }) => familyColour(row.family),
          stroke: 'currentColor',
        }),
        Plot.text(rows, {
          y: 'title',
          x: 'p99',
          text: (row: { p50: number; p99: number }) => `${formatNs(row.p50)} … ${formatNs(row.p99)}`,
          textAnchor: 'start',
          dx: 8,
          fill: 'currentColor',
        }),
      ],
    },
  );
  const fastest = { fastest: fastestOf(report) };
  const sentence = say('picture round-trips', fastest, quotesFrom(report));
  return { name: 'round-trips', title: 'Round trip', sentence, svg };
}

/** Which line is ahead, where the run can tell, and how far behind it TCP is. */
function fastestOf(report: CompareReport): string {
  const measured = report.transports.filter((row) => row.roundTrip);
  const p50 = (row: PairFigure): number => row.roundTrip!.summary.p50Ns;
  const quiet = measured.filter((row) => tooBusy(report, row) === undefined);
  const first = quiet.toSorted((left, right) => p50(left) - p50(right))[0];
  if (first === undefined) return say('fastest unknown');
  const left = measured.length - quiet.length;
  const tcp = lineOf(report, 'tcp');
  const rank = rankRoundTrips(report, first, tcp);
  const isRanked = tcp !== first && (rank.verdict === 'ahead' || rank.verdict === 'close');
  return say('fastest', {
    among: left === 0 ? say('fastest among all') : say('fastest among some', { left: String(left) }),
    first: first.title,
    time: formatNs(p50(first)),
    'against-tcp': isRanked ? sayRank('against-tcp', rank, report) : '',
  });
}

function drawDistribution(report: CompareReport): Picture {
  const series = report.transports
    .filter(({ id, roundTrip }) => SHOWN.includes(id) && roundTrip)
    .map((row) => ({
      title: row.title,
      family: row.family,
      // "Nines": 90 % is 1, 99 % is 2; the tail gets the room that it deserves.
      points: row
        .roundTrip!.distribution.filter(({ percent }) => percent <= 99.95)
        .map(({ percent, ns }) => ({ x: -Math.log10(1 - percent / 100), y: ns })),
    }));
  const worst = [...series].sort((left, right) => tail(right) - tail(left))[0];
  const sentence = worst
    ? say('picture latency-distribution', {
        worst: worst.title,
        from: formatNs(worst.points[0]!.y),
        to: formatNs(worst.points.at(-1)!.y),
      })
    : '';
  const percents = [0, 50, 90, 99, 99.9];
  const svg = drawLines(series, {
    x: {
      label: 'share of the round trips that are not slower →',
      ticks: percents.map((percent) => -Math.log10(1 - percent / 100)),
      tickFormat: (x: number) => `${Number((100 * (1 - 10 ** -x)).toFixed(2))} %`,
      domain: [0, 3.35],
    },
    y: logAxis('round trip', formatNs),
  });
  return { name: 'latency-distribution', title: 'Distribution of the latency', sentence, svg };
}

function drawMessages(shown: readonly PairFigure[]): Picture {
  const series = bySize(shown, 'messagesPerSecond');
  const best = [...series].sort((left, right) => right.points[0]!.y - left.points[0]!.y);
  const [first, last] = [best[0]!, best.at(-1)!];
  const sentence = say('picture messages-per-second', {
    size: formatBytes(first.points[0]!.x),
    best: first.title,
    most: formatCount(first.points[0]!.y),
    last: last.title,
    least: formatCount(last.points[0]!.y),
    'when-flat': beginsFlat(series),
  });
  const svg = drawLines(series, {
    x: sizeAxis(series),
    y: logAxis('messages/s', formatCount),
  });
  return { name: 'messages-per-second', title: 'Messages per second', sentence, svg };
}

function drawBytes(shown: readonly PairFigure[]): Picture {
  const series = bySize(shown, 'bytesPerSecond');
  const peak = (row: Series): number => Math.max(...row.points.map(({ y }) => y));
  const best = [...series].sort((left, right) => peak(right) - peak(left))[0]!;
  const sentence = say('picture bytes-per-second', {
    best: best.title,
    most: formatBytes(peak(best)),
    'when-closer': comesCloser(series),
  });
  const svg = drawLines(series, {
    x: sizeAxis(series),
    // Of a logarithmic axis only ticks near a power of its base get their label.
    y: { ...logAxis('bytes/s', formatBytes), base: 2, ticks: powersOfTwo(series, 3) },
  });
  return { name: 'bytes-per-second', title: 'Bytes per second', sentence, svg };
}

function bySize(shown: readonly PairFigure[], rate: 'messagesPerSecond' | 'bytesPerSecond'): Series[] {
  return shown.map(({ title, family, throughput }) => ({
    title,
    family,
    points: throughput.map((size) => ({ x: size.bytes, y: size[rate].median })),
  }));
}

function drawFanout(report: CompareReport): Picture {
  const { windows } = report.fanout;
  const targets = [...new Set(windows.map(({ target }) => target))];
  const series: Series[] = targets.map((target) => ({
    title: target,
    family: target === 'chat' ? 'chat' : target === 'redis' || target === 'nats' ? 'broker' : 'socket',
    points: windows
      .filter((row) => row.target === target)
      .map((row) => ({ x: row.members, y: row.deliveriesPerSecond.median })),
  }));
  if (report.logReaders.length > 0) {
    series.unshift({
      title: 'log in shared memory',
      family: 'shared memory',
      points: report.logReaders.map((row) => ({ x: row.readers, y: row.deliveriesPerSecond.median })),
    });
  }
  const sentence = say('picture fan-out', { 'against-ws': chatAgainstWs(windows) }).trimEnd();
  const svg = drawLines(series, {
    x: { type: 'log', label: 'receivers (logarithmic) →', ticks: [1, 10, 100, 1000], tickFormat: String },
    y: logAxis('deliveries/s', formatCount),
  });
  return { name: 'fan-out', title: 'One to many', sentence, svg };
}

/** At the largest audience that both had; the reason only where the chat is ahead in every round. */
function chatAgainstWs(windows: CompareReport['fanout']['windows']): string {
  const of = (target: string): CompareReport['fanout']['windows'] =>
    windows.filter((row) => row.target === target).toSorted((left, right) => right.members - left.members);
  const chat = of('chat').find(({ members }) => of('ws').some((row) => row.members === members));
  const ws = of('ws').find(({ members }) => members === chat?.members);
  if (!chat || !ws) return '';
  const [one, other] = [chat.deliveriesPerSecond, ws.deliveriesPerSecond];
  return say('against-ws', {
    members: String(chat.members),
    chat: formatCount(one.median),
    ws: formatCount(other.median),
    'when-ahead': one.min > other.max,
  });
}

/** Whether most lines lose less than a third of their messages from the smallest size to the next one. */
function beginsFlat(series: readonly Series[]): boolean {
  const flat = series.filter(({ points }) => points.length > 1 && points[1]!.y > (points[0]!.y * 2) / 3);
  return flat.length > series.length / 2;
}

/** Whether the first and the last lie less far apart at the largest size than at the smallest. */
function comesCloser(series: readonly Series[]): boolean {
  const spread = (at: 0 | -1): number => {
    const values = series.map(({ points }) => points.at(at)!.y);
    return Math.max(...values) / Math.min(...values);
  };
  return spread(-1) < spread(0);
}

function drawCpu(report: CompareReport): Picture {
  const opacities = { sender: 1, server: 0.5, receiver: 0.12 };
  const measured = report.transports
    .flatMap((row) => {
      const cpu = cpuOfSmall(row);
      return cpu ? [{ title: row.title, ...cpu }] : [];
    })
    .sort((left, right) => left.total - right.total);
  const rows = measured.flatMap(({ title, sender, server, receiver }) => [
    { title, side: 'sender', from: 0, to: sender },
    { title, side: 'server', from: sender, to: sender + server },
    { title, side: 'receiver', from: sender + server, to: sender + server + receiver },
  ]);
  const [least, most] = [measured[0]!, measured.at(-1)!];
  const sentence = say('picture cpu-per-message', {
    least: least.title,
    'least-time': formatNs(least.total),
    most: most.title,
    'most-time': formatNs(most.total),
  });
  const titles = measured.map(({ title }) => title);
  const svg = drawRows(
    titles,
    { aroundRows: 80, marginRight: 80 },
    {
      x: { label: 'CPU time for one message →', tickFormat: formatNs },
      marks: [
        Plot.barX(rows, {
          y: 'title',
          x1: 'from',
          x2: 'to',
          fill: 'currentColor',
          fillOpacity: (row: { side: keyof typeof opacities }) => opacities[row.side],
          stroke: 'currentColor',
          insetTop: 2,
          insetBottom: 2,
        }),
        Plot.text(measured, {
          y: 'title',
          x: 'total',
          text: (row: { total: number }) => formatNs(row.total),
          textAnchor: 'start',
          dx: 6,
          fill: 'currentColor',
        }),
      ],
    },
  );
  return { name: 'cpu-per-message', title: 'CPU time for one message', sentence, svg };
}

function tail({ points }: Series): number {
  return points.at(-1)!.y / points[0]!.y;
}
