/**
 * Up to where each webhook has delivered, in a file of the data folder. It is written anew and put in the place of the
 * old one, so a process that is killed leaves one of the two. What was delivered and not yet written is delivered again.
 */
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** A position in one life of the log. */
export interface Cursor {
  readonly epoch: string;
  readonly position: number;
}

/** In the data folder. */
export const CURSORS_NAME = 'webhooks.json';
const OWNER_ONLY = 0o600;

export class Cursors {
  readonly #path: string | undefined;
  readonly #onFailure: (error: unknown) => void;
  readonly #byName = new Map<string, Cursor>();
  #isDirty = false;
  #writing: Promise<void> | undefined;

  /**
   * @param folder `undefined`: nothing is kept
   * @param onFailure told when the file could not be written; it is tried again with the next change
   */
  constructor(folder: string | undefined, onFailure: (error: unknown) => void) {
    this.#path = folder === undefined ? undefined : join(folder, CURSORS_NAME);
    this.#onFailure = onFailure;
  }

  /** @throws Error when there is a file, and it cannot be read */
  load(): void {
    if (this.#path === undefined) return;
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    for (const [name, cursor] of Object.entries(JSON.parse(text) as Record<string, Cursor>))
      this.#byName.set(name, cursor);
  }

  get(name: string): Cursor | undefined {
    return this.#byName.get(name);
  }

  set(name: string, cursor: Cursor): void {
    this.#byName.set(name, cursor);
    this.#isDirty = true;
  }

  /** Resolved when what was set before is in the file, or could not be written. One write at a time. */
  async save(): Promise<void> {
    while (this.#writing) await this.#writing;
    if (!this.#isDirty || this.#path === undefined) return;
    this.#isDirty = false;
    this.#writing = this.#write(this.#path).finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(path: string): Promise<void> {
    const draft = `${path}.new`;
    try {
      const file = await open(draft, 'w', OWNER_ONLY);
      try {
        await file.writeFile(JSON.stringify(Object.fromEntries(this.#byName)));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      this.#isDirty = true;
      this.#onFailure(error);
    }
  }
}
