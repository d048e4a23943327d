/**
 * The pictures of a report, as SVG text. Each comes with a sentence that says what is to be seen in it, made of
 * the same numbers.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { formatBytes, formatCount, formatNs, formatNumber } from '../units.js';
import { familyColour, spreadLabels, styleSeries } from './chart-style.js';
import type { CompareReport, TransportFigure } from './figures.js';
import { lineOf, rankRoundTrips, tooBusy } from './ranking.js';
import type { Family } from './transports.js';

/** One picture. */
export interface Picture {
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  /** Inline SVG that takes its text colour from the page. */
  readonly svg: string;
}

interface Series {
  readonly title: string;
  readonly family: Family;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 860;
const HEIGHT = 430;
const LABEL_MARGIN = 190;
const LABEL_GAP = 15;
const TOP = 24;
const BOTTOM = 44;
const LEFT = 72;

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
  if (
    report.transports.some((row) =>
      row.throughput.some((size) => size.bytes === 64 && size.cpuNsPerMessage.near),
    )
  ) {
    pictures.push(drawCpu(report));
  }
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
  const sentence =
    rows.length > 0
      ? `Half of the round trips of ${report.settings.roundTripBytes} bytes are back within the dot, 99 of 100 within the bar. ${fastest(report)}`
      : 'No round trips were measured.';
  const svg = render({
    height: 84 + rows.length * 25,
    marginLeft: 175,
    marginRight: 130,
    marginBottom: 48,
    x: {
      type: 'log',
      label: 'round trip (logarithmic) →',
      labelOffset: 40,
      grid: true,
      tickFormat: formatNs,
      ticks: 6,
    },
    y: { label: null, domain: rows.map((row) => row.title) },
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
  });
  return { name: 'round-trips', title: 'Round trip', sentence, svg };
}

/** Which line is ahead, where the run can tell, and how far behind it TCP is. */
function fastest(report: CompareReport): string {
  const measured = report.transports.filter((row) => row.roundTrip);
  const p50 = (row: TransportFigure): number => row.roundTrip!.summary.p50Ns;
  const quiet = measured.filter((row) => tooBusy(report, row) === undefined);
  const first = quiet.toSorted((left, right) => p50(left) - p50(right))[0];
  if (first === undefined) return 'This run was too busy to tell which line is the fastest.';
  const left = measured.length - quiet.length;
  const among =
    left === 0
      ? 'The fastest line'
      : `Of the lines that it was not too busy for (all but ${left}) the fastest`;
  const answer = `${among}, ${first.title}, takes ${formatNs(p50(first))}`;
  const tcp = lineOf(report, 'tcp');
  const rank = rankRoundTrips(report, first, tcp);
  if (tcp === undefined || tcp === first) return `${answer}.`;
  if (rank.verdict === 'ahead') {
    return `${answer}; TCP takes ${formatNs(p50(tcp))}, ${formatNumber(rank.times)} times as long.`;
  }
  return rank.verdict === 'close'
    ? `${answer}; TCP, with ${formatNs(p50(tcp))}, is too close to call.`
    : `${answer}.`;
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
    ? `How long the slower round trips take: at 99 %, one in a hundred takes longer than the line says. A flat line keeps ` +
      `its promise; the steepest tail here is that of ${worst.title}, which goes from ${formatNs(worst.points[0]!.y)} to ${formatNs(worst.points.at(-1)!.y)}.`
    : 'No distribution was measured.';
  const percents = [0, 50, 90, 99, 99.9];
  const svg = drawLines(series, {
    x: {
      label: 'share of the round trips that are not slower →',
      ticks: percents.map((percent) => -Math.log10(1 - percent / 100)),
      tickFormat: (x: number) => `${Number((100 * (1 - 10 ** -x)).toFixed(2))} %`,
      domain: [0, 3.35],
    },
    y: { type: 'log', label: '↑ round trip (logarithmic)', tickFormat: formatNs, ticks: 6, grid: true },
  });
  return { name: 'latency-distribution', title: 'Distribution of the latency', sentence, svg };
}

function drawMessages(shown: readonly TransportFigure[]): Picture {
  const series = shown.map((row) => ({
    title: row.title,
    family: row.family,
    points: row.throughput.map(({ bytes, messagesPerSecond }) => ({ x: bytes, y: messagesPerSecond.median })),
  }));
  const best = [...series].sort((left, right) => right.points[0]!.y - left.points[0]!.y);
  const sentence =
    `Messages per second against their size. At ${formatBytes(best[0]!.points[0]!.x)}, ${best[0]!.title} moves ` +
    `${formatCount(best[0]!.points[0]!.y)} a second and ${best.at(-1)!.title} ${formatCount(best.at(-1)!.points[0]!.y)}` +
    (beginsFlat(series)
      ? '; small messages cost their handling, not their bytes, so the lines begin flat.'
      : '.');
  const svg = drawLines(series, {
    x: sizeAxis(series),
    y: { type: 'log', label: '↑ messages/s (logarithmic)', tickFormat: formatCount, ticks: 6, grid: true },
  });
  return { name: 'messages-per-second', title: 'Messages per second', sentence, svg };
}

function drawBytes(shown: readonly TransportFigure[]): Picture {
  const series = shown.map((row) => ({
    title: row.title,
    family: row.family,
    points: row.throughput.map(({ bytes, bytesPerSecond }) => ({ x: bytes, y: bytesPerSecond.median })),
  }));
  const peak = (row: Series): number => Math.max(...row.points.map(({ y }) => y));
  const best = [...series].sort((left, right) => peak(right) - peak(left))[0]!;
  const sentence =
    `The same as bytes per second: ${best.title} reaches ${formatBytes(peak(best))} a second` +
    (comesCloser(series)
      ? '. The larger the message, the more it is the copying that counts, and the lines come closer to each other.'
      : '.');
  const svg = drawLines(series, {
    x: sizeAxis(series),
    y: {
      type: 'log',
      // Of a logarithmic axis only ticks near a power of its base get their label.
      base: 2,
      label: '↑ bytes/s (logarithmic)',
      tickFormat: formatBytes,
      ticks: powersOfTwo(series, 3),
      grid: true,
    },
  });
  return { name: 'bytes-per-second', title: 'Bytes per second', sentence, svg };
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
  const sentence =
    'One publisher, N receivers, 64 bytes, 16 messages in flight: deliveries per second, all receivers together. ' +
    chatAgainstWs(windows);
  const svg = drawLines(series, {
    x: { type: 'log', label: 'receivers (logarithmic) →', ticks: [1, 10, 100, 1000], tickFormat: String },
    y: { type: 'log', label: '↑ deliveries/s (logarithmic)', tickFormat: formatCount, ticks: 6, grid: true },
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
  const reason = one.min > other.max ? ': the same bytes go to everybody with one write each' : '';
  return `At ${chat.members} the chat makes ${formatCount(one.median)}, a plain ws broadcast ${formatCount(other.median)}${reason}.`;
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
  const rows = report.transports.flatMap((row) => {
    const cpu = row.throughput.find(({ bytes }) => bytes === 64)?.cpuNsPerMessage;
    if (cpu?.near === undefined) return [];
    const total = cpu.near + (cpu.server ?? 0) + (cpu.far ?? 0);
    let at = 0;
    return (
      [
        ['sender', cpu.near],
        ['server', cpu.server ?? 0],
        ['receiver', cpu.far ?? 0],
      ] as const
    ).map(([side, ns]) => {
      const from = at;
      at += ns;
      return { title: row.title, side, from, to: at, total };
    });
  });
  rows.sort((left, right) => left.total - right.total);
  const titles = [...new Set(rows.map((row) => row.title))];
  const least = rows[0];
  const most = rows.at(-1);
  const sentence =
    'CPU time for one message of 64 bytes when they come as fast as they can: sender (full), server (half), receiver ' +
    '(outline), one behind the other. ' +
    (least && most
      ? `${least.title} needs ${formatNs(least.total)}, ${most.title} ${formatNs(most.total)}.`
      : '');
  const totals = titles.map((title) => rows.find((row) => row.title === title)!);
  const svg = render({
    height: 80 + titles.length * 25,
    marginLeft: 175,
    marginRight: 80,
    marginBottom: 48,
    x: { label: 'CPU time for one message →', labelOffset: 40, grid: true, tickFormat: formatNs },
    y: { label: null, domain: titles },
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
      Plot.text(totals, {
        y: 'title',
        x: 'total',
        text: (row: { total: number }) => formatNs(row.total),
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
      }),
    ],
  });
  return { name: 'cpu-per-message', title: 'CPU time for one message', sentence, svg };
}

function sizeAxis(series: readonly Series[]): NonNullable<Plot.PlotOptions['x']> {
  const most = Math.max(...series.flatMap(({ points }) => points.map(({ x }) => x)));
  return {
    type: 'log',
    base: 2,
    label: 'size of a message (logarithmic) →',
    ticks: [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576].filter((bytes) => bytes <= most),
    tickFormat: formatBytes,
  };
}

/** Round numbers of bytes: every `step`th power of two in the range of the series. */
function powersOfTwo(series: readonly Series[], step: number): number[] {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  const ticks: number[] = [];
  for (let power = 0; power < 60; power += step) {
    if (2 ** power >= Math.min(...values) && 2 ** power <= Math.max(...values)) ticks.push(2 ** power);
  }
  return ticks;
}

/** Lines with a symbol at each point and their name at the end. */
function drawLines(series: readonly Series[], axes: Pick<Plot.PlotOptions, 'x' | 'y'>): string {
  const styles = styleSeries(series.map(({ family }) => family));
  const all = series.flatMap(({ points }) => points);
  const domain = [Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y))];
  const range: [number, number] = [HEIGHT - BOTTOM, TOP];
  const scale = Plot.scale({ y: { type: 'log', domain, range } });
  const xDomain = axes.x?.domain as readonly [number, number] | undefined;
  const right = xDomain?.[1] ?? Math.max(...all.map(({ x }) => x));
  const wanted = series.map(({ points }) => scale.apply(points.at(-1)!.y) as number);
  const labels = spreadLabels(wanted, LABEL_GAP, TOP, HEIGHT - BOTTOM).map((y, i) => ({
    title: series[i]!.title,
    from: { x: series[i]!.points.at(-1)!.x, y: series[i]!.points.at(-1)!.y },
    x: right,
    y: scale.invert!(y) as number,
  }));
  return render({
    height: HEIGHT,
    marginLeft: LEFT,
    marginRight: LABEL_MARGIN,
    marginTop: TOP,
    marginBottom: BOTTOM,
    ...axes,
    y: { ...axes.y, domain, range },
    marks: [
      ...series.flatMap(({ points }, i) => {
        const { colour, dash, symbol } = styles[i]!;
        return [
          Plot.line(points, { x: 'x', y: 'y', stroke: colour, strokeDasharray: dash, strokeWidth: 2 }),
          Plot.dot(points, {
            x: 'x',
            y: 'y',
            symbol,
            r: 4,
            fill: colour,
            stroke: 'currentColor',
            strokeWidth: 0.7,
          }),
        ];
      }),
      ...labels.map(({ from, x, y, title }, i) => [
        Plot.link([0], {
          x1: from.x,
          y1: from.y,
          x2: x,
          y2: y,
          stroke: styles[i]!.colour,
          strokeOpacity: 0.5,
          strokeWidth: 0.8,
        }),
        Plot.text([title], { x, y, text: [title], textAnchor: 'start', dx: 8, fill: 'currentColor' }),
      ]),
    ],
  });
}

function tail({ points }: Series): number {
  return points.at(-1)!.y / points[0]!.y;
}

function render(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const element = Plot.plot({
    width: WIDTH,
    style: {
      background: 'none',
      color: 'currentColor',
      fontSize: '12px',
      fontFamily: 'system-ui, sans-serif',
    },
    ...options,
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
  });
  element.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  element.setAttribute('role', 'img');
  return element.outerHTML;
}
