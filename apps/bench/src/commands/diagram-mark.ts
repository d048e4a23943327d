/**
 * Ties a picture to the source it was made of: the hash of the source stands in the picture, so that a test can
 * tell a picture that is out of date without drawing it again.
 */
import { createHash } from 'node:crypto';

const MARK = /<!-- source sha256 ([0-9a-f]{64}) -->/;

/** Hash of a source, the same whatever the line ends of the checkout are. */
export function hashSource(source: string): string {
  return createHash('sha256').update(source.replaceAll('\r\n', '\n')).digest('hex');
}

/** Writes the hash of `source` into the picture made of it. */
export function markPicture(svg: string, source: string): string {
  return svg.replace(/(<svg[^>]*>)/, `$1<!-- source sha256 ${hashSource(source)} -->`);
}

/** Reads the hash of the source that a picture was made of. */
export function readMark(svg: string): string | undefined {
  return MARK.exec(svg)?.[1];
}
