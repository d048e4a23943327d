/** What the operating system, and the server itself, say about a `chat-server`. Linux only: it reads /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export class ServerWatch {
  readonly #pid: number;
  readonly #port: number;
  readonly #token: string;

  /** @param token - of the metrics */
  constructor(pid: number, port: number, token: string) {
    this.#pid = pid;
    this.#port = port;
    this.#token = token;
  }

  residentMiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(this.#read('status'))?.[1]) / 1024;
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length;
  }

  cpuSeconds(): number {
    const fields = this.#read('stat').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /**
   * One number of `/metrics`.
   *
   * @param name - with labels, if it has some, as it stands there
   */
  async metric(name: string): Promise<number> {
    const text = await this.metrics();
    const line = text.split('\n').find((line) => line.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }

  /** All of `/metrics`. */
  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/metrics`, {
      headers: { connection: 'close', authorization: `Bearer ${this.#token}` },
    });
    if (response.status !== 200) throw new Error(`/metrics answers ${response.status}`);
    return response.text();
  }

  #read(file: string): string {
    return readFileSync(`/proc/${this.#pid}/${file}`, 'latin1');
  }
}
