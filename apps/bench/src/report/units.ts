/** Numbers as people read them: three significant digits and a unit. */

const STEPS: readonly (readonly [factor: number, prefix: string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Rounds to three significant digits without an exponent: `52.1`, `0.25`, `1230`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const text = value.toFixed(Math.min(digits, 6));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `52.1 M`, `343 k`, `12`. */
export function formatCount(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return 'n/a';
  for (const [factor, prefix] of STEPS) {
    // 999.6 k would be shown as "1000 k".
    if (Math.abs(value) >= factor * 0.9995) return `${formatNumber(value / factor)} ${prefix}`;
  }
  return formatNumber(value);
}

/** `310 ns`, `184 µs`, `2.5 ms`, `1.2 s`. */
export function formatNs(ns: number | undefined): string {
  if (ns === undefined || !Number.isFinite(ns)) return 'n/a';
  if (ns < 999.5) return `${formatNumber(ns)} ns`;
  if (ns < 999_500) return `${formatNumber(ns / 1e3)} µs`;
  if (ns < 999_500_000) return `${formatNumber(ns / 1e6)} ms`;
  return `${formatNumber(ns / 1e9)} s`;
}

/** `64 B`, `7.8 KiB`, `1 MiB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return 'n/a';
  const size = Math.abs(bytes);
  if (size < 1024) return `${formatNumber(bytes)} B`;
  if (size < 1024 ** 2) return `${formatNumber(bytes / 1024)} KiB`;
  if (size < 1024 ** 3) return `${formatNumber(bytes / 1024 ** 2)} MiB`;
  return `${formatNumber(bytes / 1024 ** 3)} GiB`;
}
