/** How pictures are drawn: lines over logarithmic axes, bars in rows; as SVG text without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Family } from '../../ways/way.js';
import { formatBytes } from '../units.js';
import { spreadLabels, styleSeries } from './chart-style.js';

/** One line of a picture. */
export interface Series {
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

/** One row for each title, with room for the titles on the left and for text on the right. */
export function drawRows(
  titles: readonly string[],
  room: { readonly aroundRows: number; readonly marginRight: number },
  options: Pick<Plot.PlotOptions, 'x' | 'marks'>,
): string {
  return render({
    height: room.aroundRows + titles.length * 25,
    marginLeft: 175,
    marginRight: room.marginRight,
    marginBottom: 48,
    ...options,
    x: { labelOffset: 40, grid: true, ...options.x },
    y: { label: null, domain: titles },
  });
}

/** A logarithmic axis of values, upwards. */
export function logAxis(
  what: string,
  tickFormat: (value: number) => string,
): NonNullable<Plot.PlotOptions['y']> {
  return { type: 'log', label: `↑ ${what} (logarithmic)`, tickFormat, ticks: 6, grid: true };
}

/** An axis of message sizes. */
export function sizeAxis(series: readonly Series[]): NonNullable<Plot.PlotOptions['x']> {
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
export function powersOfTwo(series: readonly Series[], step: number): number[] {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  const ticks: number[] = [];
  for (let power = 0; power < 60; power += step) {
    if (2 ** power >= Math.min(...values) && 2 ** power <= Math.max(...values)) ticks.push(2 ** power);
  }
  return ticks;
}

/** Lines with a symbol at each point and their name at the end. */
export function drawLines(series: readonly Series[], axes: Pick<Plot.PlotOptions, 'x' | 'y'>): string {
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
