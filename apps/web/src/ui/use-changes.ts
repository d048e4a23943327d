/**
 * Ties the interface to the model: what uses these hooks is drawn again when something changed.
 */
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

/** Something that tells of its changes. */
interface Source {
  subscribe(listener: () => void): () => void;
}

/** Draws the component again after each change of `source`. */
export function useChanges(source: Source): void {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => source.subscribe(() => draw(undefined)), [source]);
}

/** Whether a media query holds, now and later. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = (): void => setMatches(list.matches);
    update();
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, [query]);
  return matches;
}

/** The time, every second, while `active`. */
export function useNow(active: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
