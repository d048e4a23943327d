/**
 * The web client as it lies in memory: every file of its build, ready to be sent.
 *
 * It is read once when the server starts, from beside the program, so that a request touches no file system and
 * no path of a request is ever a path on the disk. Text is compressed once, too.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

/** One file of the web client. */
export interface WebAsset {
  readonly type: string;
  readonly body: Buffer;
  /** Compressed, where that makes it smaller. */
  readonly gzip: Buffer | undefined;
  /** Whether its name changes with its content, so that it may be kept for good. */
  readonly immutable: boolean;
  /** Names the content; without quotes. */
  readonly tag: string;
}

/** Files by the path of the request that gets them. */
export type WebAssets = ReadonlyMap<string, WebAsset>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** The build puts what is named after its content into this folder. */
const HASHED_FOLDER = '/assets/';

/**
 * Reads the build of the web client.
 *
 * @returns its files; none when there is no such folder, as in a checkout that was not built
 */
export function readWebAssets(directory: string): WebAssets {
  const assets = new Map<string, WebAsset>();
  for (const file of filesBelow(directory)) {
    const path = `/${relative(directory, file).split(sep).join(posix.sep)}`;
    const type = TYPES[posix.extname(path)];
    if (type === undefined) continue;
    const asset = describe(readFileSync(file), type, path.startsWith(HASHED_FOLDER));
    assets.set(path === '/index.html' ? '/' : path, asset);
  }
  return assets;
}

function describe(body: Buffer, type: string, immutable: boolean): WebAsset {
  const compressed = gzipSync(body, { level: constants.Z_BEST_COMPRESSION });
  return {
    type,
    body,
    gzip: compressed.length < body.length ? compressed : undefined,
    immutable,
    tag: createHash('sha256').update(body).digest('base64url').slice(0, 22),
  };
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
