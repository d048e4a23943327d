/** A log that nobody reads stops nobody, is bounded, and says later what it lacks. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogOutput } from '../../src/log/log-output.js';

/** Standard output whose reader reads when it is told to. */
class Pipe extends Writable {
  text = '';
  readonly #waiting: (() => void)[] = [];
  isRead = false;

  constructor() {
    super({ decodeStrings: true });
  }

  read(): void {
    this.isRead = true;
    for (const next of this.#waiting.splice(0)) next();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.text += String(chunk);
      done();
    };
    if (this.isRead) take();
    else this.#waiting.push(take);
  }
}

const told = (lines: number): string => `${lines} dropped\n`;

describe('LogOutput', () => {
  it('passes lines on in order', async () => {
    const pipe = new Pipe();
    pipe.read();
    const output = new LogOutput(pipe, told);
    for (const line of ['one\n', 'two\n']) output.write(line);
    await output.flushed();
    expect(pipe.text).toBe('one\ntwo\n');
  });

  it('drops and counts what nobody reads, and says so once it is read again', async () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe, told, 100);
    for (let i = 0; i < 50; i++) output.write(`line ${i}\n`);
    expect(pipe.writableLength).toBeLessThan(120);
    const { dropped } = output;
    expect(dropped).toBeGreaterThan(30);
    pipe.read();
    await output.flushed();
    output.write('later\n');
    await output.flushed();
    expect(pipe.text.endsWith(`${dropped} dropped\nlater\n`)).toBe(true);
    expect(output.dropped).toBe(0);
  });

  it('does not wait at the end for a reader that never comes', async () => {
    const output = new LogOutput(new Pipe(), told);
    output.write('last words\n');
    await output.flushed(1);
  });

  it('writes nothing more once the reader is gone', () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe, told);
    pipe.emit('error', new Error('EPIPE'));
    output.write('nobody\n');
    expect(pipe.writableLength).toBe(0);
  });

  it('asks a pipe and a terminal not to block', () => {
    const asked: boolean[] = [];
    const pipe = Object.assign(new Pipe(), { _handle: { setBlocking: (on: boolean) => asked.push(on) } });
    new LogOutput(pipe, told);
    expect(asked).toEqual([false]);
  });
});
