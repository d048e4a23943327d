/**
 * A terminal that a test can type into and look at: a tmux server of its own with one window.
 *
 * There is no sleeping: what is waited for is looked at again and again, a bounded number of times.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../../../../test/support/find-program.js';

/** Path of tmux; undefined where it is not installed. */
export const TMUX: string | undefined = findProgram('tmux');

const MAX_LOOKS = 1500;
const run = promisify(execFile);

/** How the terminal itself is: not what stands on it. */
export interface TerminalFlags {
  readonly alternateScreen: boolean;
  readonly cursorVisible: boolean;
  readonly wraps: boolean;
}

export class TmuxScreen {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'chat-tmux-'));
  readonly #environment: NodeJS.ProcessEnv;

  constructor() {
    const { TMUX: _outer, CI: _ci, NO_COLOR: _colour, ...environment } = process.env;
    this.#environment = { ...environment, LC_ALL: 'C.UTF-8', TMUX_TMPDIR: this.#folder };
  }

  /** Runs a shell command in a window of the given size. */
  async open(command: string, columns: number, rows: number): Promise<void> {
    const size = ['-x', String(columns), '-y', String(rows)];
    await this.tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'test', ...size, command);
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.tmux('send-keys', '-t', 'test', '-l', text);
  }

  /** Presses keys by the names that tmux has for them. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.tmux('send-keys', '-t', 'test', ...keys);
  }

  /** Pastes as a terminal does: in brackets, if the program asked for them. */
  async paste(text: string): Promise<void> {
    await this.tmux('set-buffer', '-b', 'test', text);
    await this.tmux('paste-buffer', '-p', '-r', '-b', 'test', '-t', 'test');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-t', 'test', '-x', String(columns), '-y', String(rows));
  }

  async rows(): Promise<string[]> {
    return (await this.tmux('capture-pane', '-t', 'test', '-p')).split('\n');
  }

  /** Looks until `isThere` holds. @throws Error with what is seen instead */
  async until(
    what: string,
    isThere: (rows: readonly string[]) => boolean | Promise<boolean>,
  ): Promise<string[]> {
    let rows: string[] = [];
    for (let look = 0; look < MAX_LOOKS; look++) {
      rows = await this.rows();
      if (await isThere(rows)) return rows;
    }
    throw new Error(`${what} is not seen, but:\n${rows.join('\n')}`);
  }

  /** Looks until all of `texts` are seen. */
  see(...texts: readonly string[]): Promise<string[]> {
    return this.until(texts.join(', '), (rows) => texts.every((text) => rows.join('\n').includes(text)));
  }

  /** Looks until none of `texts` is seen. */
  miss(...texts: readonly string[]): Promise<string[]> {
    return this.until(
      `no ${texts.join(', ')}`,
      (rows) => !texts.some((text) => rows.join('\n').includes(text)),
    );
  }

  async flags(): Promise<TerminalFlags> {
    const format = '#{alternate_on}#{cursor_flag}#{wrap_flag}';
    const [alternate, cursor, wraps] = (
      await this.tmux('display-message', '-p', '-t', 'test', format)
    ).trim();
    return { alternateScreen: alternate === '1', cursorVisible: cursor === '1', wraps: wraps === '1' };
  }

  /**
   * The column, by tmux's own count of cells, of the last `text` in each of the rows from `first` to `last`.
   */
  async columnsOf(text: string, first: number, last: number): Promise<number[]> {
    const keys = (...names: string[]) => [';', 'send-keys', '-t', 'test', '-X', ...names];
    const columns: number[] = [];
    for (let row = first; row <= last; row++) {
      const down = row === 0 ? [] : [';', 'send-keys', '-t', 'test', '-N', String(row), '-X', 'cursor-down'];
      const position = [';', 'display-message', '-p', '-t', 'test', '#{copy_cursor_y} #{copy_cursor_x}'];
      const found = await this.tmux(
        ...['copy-mode', '-t', 'test'],
        ...keys('top-line'),
        ...down,
        ...keys('end-of-line'),
        ...keys('search-backward-text', text),
        ...position,
        ...keys('cancel'),
      );
      const [foundRow, column] = found.trim().split(' ').map(Number) as [number, number];
      if (foundRow !== row) throw new Error(`${text} is not in row ${row}`);
      columns.push(column);
    }
    return columns;
  }

  /** The process that `command` runs in. */
  async shellId(): Promise<number> {
    return Number(await this.tmux('display-message', '-p', '-t', 'test', '#{pane_pid}'));
  }

  close(): void {
    try {
      execFileSync(TMUX!, ['kill-server'], { env: this.#environment, stdio: 'ignore' });
    } catch {
      // Nothing was opened, or it ended by itself.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async tmux(...args: readonly string[]): Promise<string> {
    return (await run(TMUX!, args, { env: this.#environment })).stdout;
  }
}
