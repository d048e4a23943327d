/**
 * The server as it is shipped, as a process of its own, and what else people connect with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));

export interface RunningServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** Resolves with the next log line that has this text. */
  logged(text: string): Promise<string>;
  /** Lets everybody go (SIGTERM), or cuts (SIGKILL). */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts the server; `--port` is any unless it is given. */
export async function startServer(...args: string[]): Promise<RunningServer> {
  const child = spawn(
    process.execPath,
    [PROGRAM, '--host', '127.0.0.1', '--port', '0', '--json', '--log-level', 'debug', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const waiting = new Set<(line: string) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    for (const look of waiting) look(line);
  });
  const logged = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (line: string): void => {
        if (!line.includes(text)) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      child.once('exit', (code) =>
        reject(new Error(`chat-server exited with ${code} before it said ${text}`)),
      );
    });
  const line = JSON.parse(await logged('listening on')) as { addresses: { port: number }[] };
  return {
    port: line.addresses[0]!.port,
    process: child,
    logged,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

/** Somebody with a bare socket, who speaks in lines, as `nc` does. */
export class LinePerson {
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('error', () => {});
    socket.on('data', (text: string) => {
      this.received += text;
      for (const look of this.#waiting) look();
    });
  }

  /** @param ca makes it TLS */
  static async join(port: number, name: string, ca?: string): Promise<LinePerson> {
    const socket = ca
      ? connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' })
      : connect({ port, host: '127.0.0.1' });
    const person = new LinePerson(socket);
    await once(socket, ca ? 'secureConnect' : 'connect');
    person.say(name);
    return person;
  }

  say(line: string): void {
    this.#socket.write(`${line}\n`);
  }

  hears(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!this.received.includes(text)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      this.#socket.once('close', () => reject(new Error(`closed before "${text}": ${this.received}`)));
      look();
    });
  }

  leave(): void {
    this.#socket.destroy();
  }
}

/** One connection through a {@link Cable}. */
interface Wire {
  readonly sockets: readonly [Socket, Socket];
  /** Nothing gets through any more, not even that the other side is gone. */
  isDead: boolean;
}

/** A cable between a browser and a server that can be pulled. */
export class Cable {
  readonly #wires = new Set<Wire>();
  readonly #server;
  #target: number;
  /** `silent`: nothing gets through, and nobody is told. `cut`: connections are refused. */
  state: 'whole' | 'silent' | 'cut' = 'whole';
  port = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((inner) => {
      inner.on('error', () => {});
      if (this.state === 'cut') {
        inner.destroy();
        return;
      }
      const outer = connect(this.#target, '127.0.0.1').on('error', () => {});
      const wire: Wire = { sockets: [inner, outer], isDead: this.state === 'silent' };
      this.#wires.add(wire);
      const pass = (from: Socket, to: Socket): void => {
        from.on('data', (chunk) => wire.isDead || to.write(chunk));
        from.on('close', () => {
          if (wire.isDead) return;
          this.#wires.delete(wire);
          to.destroy();
        });
      };
      pass(inner, outer);
      pass(outer, inner);
    });
  }

  static async to(port: number): Promise<Cable> {
    const cable = new Cable(port);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    const address = cable.#server.address();
    cable.port = typeof address === 'object' && address ? address.port : 0;
    return cable;
  }

  /** Ends what is connected, and refuses what comes. */
  cut(): void {
    this.state = 'cut';
    for (const { sockets } of this.#wires) for (const socket of sockets) socket.destroy();
    this.#wires.clear();
  }

  /** Nothing gets through from now on; both sides believe that they are connected, also when it is mended. */
  silence(): void {
    this.state = 'silent';
    for (const wire of this.#wires) wire.isDead = true;
  }

  /** What connects from now on gets through. */
  mend(): void {
    this.state = 'whole';
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
