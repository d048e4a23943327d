/**
 * Finds web addresses in a text. That is all a message can be besides text: nothing else in it is
 * interpreted.
 *
 * Only addresses that say `http://` or `https://` themselves count, so that what is shown is what is opened.
 */
import { parseUrl } from './parse-url.js';

/** A stretch of a text: as it is, or a link. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

// Ends at spaces, quotes, controls, and at marks that change the direction of writing: an address that has
// these is made to be read as another one.
const ADDRESS = /\bhttps?:\/\/[^\s\p{Cc}\p{Cf}<>"'`“”«»]+/giu;
const TRAILING = /[.,;:!?…*_~|]$/u;
const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Cuts a text into links and what is between them. Joined together the parts are the text. */
export function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trim(match[0]);
    if (!isWebAddress(address)) continue;
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    parts.push({ kind: 'link', text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}

/**
 * Takes off what belongs to the sentence around: full stops, and closing brackets that were opened before.
 */
function trim(address: string): string {
  for (;;) {
    const last = address.at(-1) ?? '';
    const opening = CLOSING[last];
    const surplus = opening !== undefined && count(address, last) > count(address, opening);
    if (!surplus && !TRAILING.test(address)) return address;
    address = address.slice(0, -1);
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** An address with a user name in it (`https://bank.example@evil.example`) is there to deceive. */
function isWebAddress(address: string): boolean {
  const url = parseUrl(address);
  if (url === undefined) return false;
  const { protocol, hostname, username, password } = url;
  return /^https?:$/.test(protocol) && hostname !== '' && username === '' && password === '';
}
