/**
 * Addresses as people type them. Browsers before 2023 have no `URL.parse` and no `URL.canParse`.
 */

/** The address, or `undefined` when it is none. */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
