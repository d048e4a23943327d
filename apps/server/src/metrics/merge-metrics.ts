/** The metrics of several workers as one page: each sample with the worker that counted it. */
import type { RoundAnswer } from '../workers/machine/rounds.js';

/** Families stand together, as Prometheus wants them; their help is said once. */
export function mergeMetrics(all: readonly RoundAnswer<string>[]): string {
  const families = new Map<string, { readonly head: string[]; readonly samples: string[] }>();
  for (const { worker, value: text } of all) {
    let family: { readonly head: string[]; readonly samples: string[] } | undefined;
    let isFirst = true;
    for (const line of text.split('\n')) {
      const name = /^# HELP (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        isFirst = !families.has(name);
        family = families.get(name) ?? { head: [], samples: [] };
        families.set(name, family);
      }
      if (line === '' || !family) continue;
      if (!line.startsWith('#')) family.samples.push(withWorker(line, worker));
      else if (isFirst) family.head.push(line);
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n');
}

/** `name{a="b"} 1` and `name 1` with one label more. */
function withWorker(sample: string, worker: number): string {
  const label = `worker="${worker}"`;
  const [, name = '', labels, rest = ''] = /^([^{\s]+)(?:\{(.*)\})?(\s.*)$/.exec(sample) ?? [];
  return `${name}{${labels ? `${label},${labels}` : label}}${rest}`;
}
