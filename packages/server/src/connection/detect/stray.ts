/**
 * Peers that speak another protocol: scanners, mail servers, browsers in disguise.
 *
 * On a chat port the first line is a name, so a stranger's greeting would be one, and its headers would be messages. Its
 * form gives it away. A single word is always a name: somebody may be called `get` or `ehlo`.
 */

/** A protocol that is not spoken here, and how it is turned away. */
export interface Stray {
  readonly protocol: string;
  /** `http`: with a status line; `line`: with a sentence. */
  readonly answer: 'http' | 'line';
}

const TLS_HANDSHAKE = 0x16;
/** RFC 8446, 6: a fatal alert, handshake_failure. */
const TLS_ALERT: Uint8Array = Uint8Array.of(0x15, 3, 1, 0, 2, 2, 40);
const TAB = 9;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;

/** First lines by which other protocols are known. */
const GREETINGS: readonly (readonly [protocol: string, pattern: RegExp])[] = [
  ['SSH', /^SSH-\d/i],
  ['SMTP', /^(EHLO|HELO|LHLO) +\S|^(MAIL FROM|RCPT TO):/i],
  ['IRC', /^(NICK|PASS) +\S+$|^CAP +(LS|REQ|END|LIST)\b|^USER +\S+ +\S+ +\S+ +\S/],
  ['FTP or POP3', /^USER +\S+$/],
  ['IMAP', /^\S+ +(CAPABILITY|LOGIN|STARTTLS)\b/],
  ['PROXY', /^PROXY +(TCP4|TCP6|UNKNOWN)\b/],
  ['Redis', /^\*\d+$/],
  ['XMPP', /^<(\?xml|stream:)/i],
  ['JSON', /^\{ *"/],
  ['VNC', /^RFB \d{3}\.\d{3}$/],
  ['rsync', /^@RSYNCD:/],
];

/** The protocol that a first line belongs to; `undefined` when it may be a name. */
export function strayProtocol(firstLine: string): Stray | undefined {
  const line = firstLine.trim();
  // A request line: VERB SP target SP protocol/version, in any case of letters.
  const version =
    /^\S+ +\S.* +([a-z]+)\/\d+(\.\d+)?$/i.exec(line)?.[1] ?? /^(HTTP|RTSP|SIP|ICY)\/\d/i.exec(line)?.[1];
  if (version !== undefined)
    return { protocol: version.toUpperCase(), answer: isHttp(version) ? 'http' : 'line' };
  // HTTP/0.9 had no version.
  if (/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE) +(\/|\*$|https?:\/\/)/i.test(line)) {
    return { protocol: 'HTTP', answer: 'http' };
  }
  const greeting = GREETINGS.find(([, pattern]) => pattern.test(line));
  return greeting && { protocol: greeting[0], answer: 'line' };
}

/**
 * Whether a connection that begins so speaks a binary protocol: TLS where no certificate is, remote desktops, file
 * shares. No name and no preface begins with a control character.
 */
export function isStrayByte(first: number): boolean {
  return first < SPACE && first !== TAB && first !== LINE_FEED && first !== CARRIAGE_RETURN;
}

/** The answer to a binary protocol, before its connection is closed. */
export function strayAnswer(first: number): Uint8Array | undefined {
  return first === TLS_HANDSHAKE ? TLS_ALERT : undefined;
}

function isHttp(version: string): boolean {
  return version.toUpperCase() === 'HTTP';
}
