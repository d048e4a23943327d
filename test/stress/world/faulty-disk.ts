/**
 * A file system that fails writes, where this machine can have one: a small library in C that is preloaded into the server.
 * Linux with a C compiler; elsewhere there is none, and nothing but this file knows.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fault } from '../plan.js';

const SOURCE = fileURLToPath(new URL('faulty-disk.c', import.meta.url));
const MODES: Readonly<Record<Fault, string>> = { none: '-', full: 'F', broken: 'E', slow: 'S' };

export class FaultyDisk {
  readonly #library: string;
  readonly #modeFile: string;
  readonly #folder: string;
  readonly #seed: number;

  private constructor(library: string, modeFile: string, folder: string, seed: number) {
    this.#library = library;
    this.#modeFile = modeFile;
    this.#folder = folder;
    this.#seed = seed;
    this.become('none');
  }

  /**
   * Compiles the library.
   *
   * @param workFolder - where it is put
   * @param folder - the folder whose files are hit
   * @returns why there is none, where there is none
   */
  static tryBuild(workFolder: string, folder: string, seed: number): FaultyDisk | string {
    if (process.platform !== 'linux') return `writes cannot be made to fail on ${process.platform}`;
    const library = join(workFolder, 'faulty-disk.so');
    try {
      execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'], { stdio: 'pipe' });
    } catch (error) {
      return `no C compiler makes the library that fails writes: ${(error as Error).message.split('\n')[0]}`;
    }
    return new FaultyDisk(library, join(workFolder, 'fault'), folder, seed);
  }

  /** What a process needs in its environment to be hit. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      CHAT_FAULT_FILE: this.#modeFile,
      CHAT_FAULT_FOLDER: this.#folder,
      CHAT_FAULT_SEED: String(this.#seed),
    };
  }

  become(fault: Fault): void {
    // The same file, since processes have it mapped.
    writeFileSync(this.#modeFile, MODES[fault], { flag: existsSync(this.#modeFile) ? 'r+' : 'w' });
  }
}
