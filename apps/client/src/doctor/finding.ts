/** What `chat doctor` finds, in words. */

/** Only a problem keeps people out. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** The subject of the check, in a word or two: `certificate`, `chat`. */
  readonly about: string;
  /** A sentence. */
  readonly text: string;
  /** What to do. */
  readonly remedy?: string;
}

export function ok(about: string, text: string): Finding {
  return { level: 'ok', about, text };
}

export function warning(about: string, text: string, remedy: string): Finding {
  return { level: 'warning', about, text, remedy };
}

export function problem(about: string, text: string, remedy: string): Finding {
  return { level: 'problem', about, text, remedy };
}
