/**
 * One run: a crowd in every dialect talks through a proxy that cuts, resets and stalls, at a `chat-server` with a data folder
 * that is killed and started again at random moments, and whose disk fails now and then. In the end everything comes to
 * rest, and what was said, told and shown is held against what is stored.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatClient, createChatClient, type Room } from '@chat/client';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { Impostor } from './people/impostor.js';
import { type Company, epochOf, LibraryTalker } from './people/library-talker.js';
import { LineTalker } from './people/line-talker.js';
import { type Decisions, decisions, type Life, lifeOf } from './plan.js';
import { truthOf } from './truth/export.js';
import { judge, type Violation } from './truth/judge.js';
import { Ledger, messageWords, noticeWords } from './truth/ledger.js';
import { ChatServerProcess, findFreePort, runStoreCommand } from './world/chat-server.js';
import { FaultyDisk } from './world/faulty-disk.js';

/** Options of {@link runStress}. */
export interface StressOptions {
  readonly seed: number;
  /** How long the server is killed again and again. */
  readonly minutes: number;
  /** The run ends earlier after so many kills. */
  readonly maxKills?: number;
  readonly clients: number;
  readonly durability: 'process' | 'disk';
  /** Whether the disk fails, too. */
  readonly hasFaults: boolean;
  /** Told what happens. */
  readonly print: (line: string) => void;
}

/** What a run came to. */
export interface StressResult {
  readonly violations: readonly Violation[];
  readonly figures: Readonly<Record<string, number>>;
}

/** Messages a second of all together, about: what two cores do besides everything else. */
const MESSAGES_PER_SECOND = 250;
const ROOM_MEMBERS = 25;
const READY_TIMEOUT_MS = 60_000;
const CALM_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 20_000;
/** What differs by chance: a connection of the metrics, a timer that is due. */
const LEAK_SLACK = 2;
const READER = 'reader';

/** What a server is started with: all come from one address, and nobody is to be told to slow down. */
const FLAGS = [
  ...['--exempt-address', '127.0.0.1', '--resume-window-ms', '600000', '--empty-room-ttl-ms', '86400000'],
] as const;

/** Runs it once. */
export async function runStress(options: StressOptions): Promise<StressResult> {
  const folder = mkdtempSync(join(tmpdir(), 'chat-stress-'));
  const run = new Run(options, folder);
  let isWell = false;
  try {
    const result = await run.run();
    isWell = result.violations.length === 0;
    return result;
  } finally {
    await run.end();
    if (isWell) rmSync(folder, { recursive: true, force: true });
    else options.print(`the store is left in ${folder}`);
  }
}

class Run {
  readonly #options: StressOptions;
  readonly #directory: string;
  readonly #disk: FaultyDisk | undefined;
  readonly #ledger = new Ledger();
  readonly #counts = { kills: 0, acknowledged: 0, reconnects: 0, faults: 0 };
  #server: ChatServerProcess | undefined;
  #proxy: CuttingProxy | undefined;
  #port = 0;
  #onAcknowledged: () => void = () => {};

  constructor(options: StressOptions, folder: string) {
    this.#options = options;
    this.#directory = join(folder, 'data');
    mkdirSync(this.#directory);
    if (!options.hasFaults) return;
    const disk = FaultyDisk.tryBuild(folder, this.#directory, options.seed);
    if (typeof disk === 'string') options.print(`left out: ${disk}`);
    else this.#disk = disk;
  }

  async run(): Promise<StressResult> {
    const { seed, clients, minutes, maxKills = Number.POSITIVE_INFINITY, print } = this.#options;
    this.#port = await findFreePort();
    await this.#start();
    this.#proxy = await this.#startProxy();
    const rooms = [
      'lobby',
      ...Array.from({ length: Math.ceil(clients / ROOM_MEMBERS) }, (_, i) => `room-${i}`),
    ];
    const { talkers, lines } = this.#invite(rooms);
    await Promise.all(talkers.map((talker) => talker.enter()));
    for (const line of lines) line.enter();
    const pauseMs = (clients / MESSAGES_PER_SECOND) * 1000;
    const talks = [...talkers, ...lines].map((person) => person.talk(pauseMs));
    print(`${clients} are in, ${rooms.length} rooms; the killing begins`);

    const startedAt = performance.now();
    const impostor = new Impostor(`tcp://127.0.0.1:${this.#port}`, this.#ledger);
    for (let life = 1; this.#counts.kills < maxKills; life++) {
      if (performance.now() - startedAt > minutes * 60_000) break;
      await this.#liveAndDie(lifeOf(seed, life, this.#disk !== undefined), () => {
        const { pick } = decisions(seed, 'impostor', life);
        return impostor.tryToBe(pick(talkers.filter(({ isSteady }) => isSteady)).name);
      });
    }
    const seconds = (performance.now() - startedAt) / 1000;
    print(`${this.#counts.kills} kills in ${seconds.toFixed(0)} s; everything comes to rest`);
    await this.#comeToRest(talkers, lines, rooms);
    await Promise.all(talks);
    await this.#lookForLeaks();
    return {
      violations: await this.#judge(lines.map(({ name }) => name)),
      figures: {
        ...this.#counts,
        seconds: Math.round(seconds),
        cuts: this.#proxy.cuts,
        said: this.#ledger.said.length,
        ...countBy('not known to be in the log, ', this.#ledger.said, ({ outcome }) =>
          outcome.kind === 'unknown' ? outcome.code : undefined,
        ),
        ...countBy('refused, ', this.#ledger.said, ({ outcome }) =>
          outcome.kind === 'refused' ? outcome.code : undefined,
        ),
        shown: this.#ledger.shownCount,
        ...countBy(
          'gaps, ',
          this.#ledger.views.flatMap(({ steps }) => steps),
          (step) => (typeof step === 'object' ? step.reason : undefined),
        ),
        impostors: impostor.tries,
        impostorsRefused: impostor.refused,
      },
    };
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    await this.#proxy?.close();
    await this.#server?.end('SIGKILL');
  }

  #spawn(): ChatServerProcess {
    const { durability } = this.#options;
    this.#server = new ChatServerProcess(this.#port, {
      directory: this.#directory,
      flags: [...FLAGS, '--durability', durability],
      environment: this.#disk?.environment ?? {},
    });
    return this.#server;
  }

  /** @throws Error when it does not come up although nothing is wrong with its disk */
  async #start(): Promise<ChatServerProcess> {
    const server = this.#spawn();
    const timer = setTimeout(() => server.child.kill('SIGKILL'), READY_TIMEOUT_MS);
    const isReady = await server.isReady;
    clearTimeout(timer);
    if (!isReady) throw new Error(`the server did not start:\n${server.complaints.join('\n')}`);
    return server;
  }

  #startProxy(): Promise<CuttingProxy> {
    let connection = 0;
    const { seed } = this.#options;
    return startCuttingProxy(this.#port, () => {
      const { between, chance, pick } = decisions(seed, 'connection', connection++);
      const how = chance(0.25) ? 'stall' : pick(['cut', 'reset'] as const);
      // Most last for a while; some break within the handshake.
      const bytes = chance(0.1) ? between(1, 600) : between(2000, 400_000);
      return { bytes, how, stallMs: between(10, 1500) };
    });
  }

  /** Who takes part: half over TCP, a third over WebSocket, the others with lines. */
  #invite(rooms: readonly string[]): { talkers: LibraryTalker[]; lines: LineTalker[] } {
    const { seed, clients } = this.#options;
    const lineCount = Math.floor(clients / 6);
    const names = Array.from({ length: clients - lineCount }, (_, i) => `talker ${i}`);
    const company: Company = {
      ledger: this.#ledger,
      names,
      rooms,
      onAcknowledged: () => {
        this.#counts.acknowledged++;
        this.#onAcknowledged();
      },
      onLost: () => this.#counts.reconnects++,
    };
    const of = (name: string): Decisions => decisions(seed, 'acts', name);
    const { port } = this.#proxy!;
    const talkers = names.map((name, i) => {
      const scheme = i % 5 < 3 ? 'tcp' : 'ws';
      return new LibraryTalker(name, `${scheme}://127.0.0.1:${port}`, company, of(name), i % 2 === 0);
    });
    const lines = Array.from({ length: lineCount }, (_, i) => `line ${i}`).map(
      (name) => new LineTalker(name, port, company, of(name)),
    );
    return { talkers, lines };
  }

  /** One life of the server, from its start to its death. The first one has begun already. */
  async #liveAndDie(life: Life, tease: () => Promise<void>): Promise<void> {
    const isUp = this.#server !== undefined && !this.#server.hasEnded;
    if (!isUp && life.killAfterStartMs !== undefined) {
      const server = this.#spawn();
      await delay(life.killAfterStartMs);
      await this.#kill(server);
      return;
    }
    const server = isUp ? this.#server! : await this.#start();
    this.#note(`ready${life.fault === 'none' ? '' : `, the disk is to be ${life.fault}`}`);
    const stopFault = this.#haveFault(life);
    const teasing = tease();
    await delay(life.killAfterReadyMs);
    await this.#acknowledgements(life.killAfterAcks);
    await this.#kill(server);
    stopFault();
    await teasing;
  }

  #note(what: string): void {
    this.#ledger.diary.push(`${new Date().toISOString().slice(11, 23)} the server: ${what}`);
  }

  async #kill(server: ChatServerProcess): Promise<void> {
    if (server.hasEnded) {
      this.#ledger.offend('crash', `the server ended by itself:\n${server.complaints.join('\n')}`);
    }
    await server.end('SIGKILL');
    this.#counts.kills++;
    this.#note('killed');
  }

  /** Lets the disk fail for a while. @returns what ends it */
  #haveFault({ fault, faultAfterMs, faultMs }: Life): () => void {
    const disk = this.#disk;
    if (fault === 'none' || !disk) return () => {};
    this.#counts.faults++;
    const begin = setTimeout(() => disk.become(fault), faultAfterMs);
    const end = setTimeout(() => disk.become('none'), faultAfterMs + faultMs);
    return () => {
      clearTimeout(begin);
      clearTimeout(end);
      disk.become('none');
    };
  }

  /** Waits for so many, for a second at the most: a disk that fails acknowledges nothing. */
  async #acknowledgements(count: number): Promise<void> {
    if (count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 1000);
      let left = count;
      this.#onAcknowledged = () => {
        if (--left > 0) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onAcknowledged = () => {};
  }

  /** Nothing fails any more: every message is settled, and everybody sees the last word of its rooms. */
  async #comeToRest(
    talkers: readonly LibraryTalker[],
    lines: readonly LineTalker[],
    rooms: readonly string[],
  ): Promise<void> {
    this.#proxy!.calm();
    if (this.#server!.hasEnded) await this.#start();
    for (const line of lines) line.fallSilent();
    const patience = delay(CALM_TIMEOUT_MS);
    await Promise.all(talkers.map((talker) => talker.fallSilent(patience)));
    const reader = createChatClient(`tcp://127.0.0.1:${this.#port}`, { name: READER });
    await reader.connect();
    for (const name of rooms) {
      const room = await reader.join(name);
      const text = `the last word in ${name}`;
      const said = this.#ledger.say(READER, name, text);
      const { seq, id } = await room.send(text);
      said.outcome = { kind: 'acknowledged', epoch: epochOf(id), seq };
      this.#ledger.lastWords.set(name, { seq, words: messageWords(READER, text) });
    }
    // Who does not see it within this time is told of by the judge.
    const isBehind = (): boolean =>
      talkers.some(({ positions }) =>
        [...positions].some(([room, position]) => position < this.#ledger.lastWords.get(room)!.seq),
      ) || lines.some((line) => !line.hasSeen(this.#ledger.lastWords.get('lobby')!.words));
    for (const deadline = performance.now() + CALM_TIMEOUT_MS; isBehind() && performance.now() < deadline; )
      await delay(50);
    for (const room of rooms) await this.#readHistory(reader.joined.get(room) as Room);
    this.#ledger.isOver = true;
    for (const line of lines) line.leave();
    await Promise.all(talkers.map((talker) => talker.close()));
    await reader.close();
  }

  /** Reads a room from its beginning, page by page: the client is an observer like others. */
  async #readHistory(room: Room): Promise<void> {
    const view = this.#ledger.view(READER, room.name, 0);
    const lastWord = this.#ledger.lastWords.get(room.name)!;
    while (view.position < lastWord.seq) {
      const { entries, end } = await room.history({ after: view.position, limit: 500 });
      for (const entry of entries) {
        if (entry.type === 'gap') view.gap(entry);
        else if (entry.type === 'message')
          view.saw(epochOf(entry.id), entry.seq, messageWords(entry.sender.name, entry.value));
        else if (entry.type === 'notice')
          view.saw(epochOf(entry.id), entry.seq, noticeWords(entry.member.name, entry.kind));
      }
      if (end || entries.length === 0) break;
    }
  }

  /** When all have left, the server holds no more than one that was started just now. */
  async #lookForLeaks(): Promise<void> {
    const used = await this.#holdings(this.#server!);
    await this.#stop();
    const fresh = await this.#start();
    // It has read old history once, as the other one has.
    const client = createChatClient(`tcp://127.0.0.1:${this.#port}`, { name: READER });
    await client.connect();
    await this.#readOldest(client);
    await client.close();
    // It starts threads one after the other, and is right once it has what the other one had.
    let leaks = await this.#leaksBeside(fresh, used);
    for (
      const deadline = performance.now() + SETTLE_TIMEOUT_MS;
      leaks.length > 0 && performance.now() < deadline;
      leaks = await this.#leaksBeside(fresh, used)
    ) {
      await delay(100);
    }
    await this.#stop();
    for (const leak of leaks) this.#ledger.offend('leak', leak);
  }

  /** What `used` has more of than a server has that was started just now. */
  async #leaksBeside(fresh: ChatServerProcess, used: ReadonlyMap<string, number>): Promise<string[]> {
    const expected = await this.#holdings(fresh);
    return [...used].flatMap(([what, count]) => {
      const most = (expected.get(what) ?? 0) + LEAK_SLACK;
      return count > most ? [`${count} × ${what} when all had left, ${most} at the most are right`] : [];
    });
  }

  async #readOldest(client: ChatClient): Promise<void> {
    const room = await client.join('lobby');
    await room.history({ after: 0, limit: 10 });
  }

  /** What a server holds once nobody is there, by kind. */
  async #holdings({ watch }: ChatServerProcess): Promise<ReadonlyMap<string, number>> {
    const settled = async (): Promise<boolean> =>
      (await watch.metric('chat_sessions')) === 0 && (await watch.metric('chat_connections')) <= 1;
    for (
      const deadline = performance.now() + SETTLE_TIMEOUT_MS;
      !(await settled()) && performance.now() < deadline;
    ) {
      await delay(100);
    }
    const resources = (await watch.metrics()).matchAll(/^nodejs_active_resources\{type="(\w+)"\} (\d+)$/gm);
    return new Map([
      ['sessions', await watch.metric('chat_sessions')],
      ...[...resources].map(([, type, count]) => [type!, Number(count)] as const),
      ['open files', watch.openFiles()],
    ]);
  }

  async #stop(): Promise<void> {
    const code = await this.#server!.end('SIGTERM');
    if (code !== 0) this.#ledger.offend('crash', `the server ended with ${code} when it was told to end`);
  }

  /** Holds everything against the store. */
  async #judge(lineNames: readonly string[]): Promise<Violation[]> {
    try {
      runStoreCommand('check', this.#directory);
    } catch (error) {
      this.#ledger.offend('store', `chat-server check: ${(error as { stdout?: string }).stdout ?? error}`);
    }
    const lines = runStoreCommand('export', this.#directory).split('\n');
    const truth = truthOf(lines);
    return judge(this.#ledger, truth, { mayBeTorn: (author) => lineNames.includes(author) });
  }
}

/** How often each key is among the items, with `title` before it. */
function countBy<T>(
  title: string,
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) counts[title + key] = (counts[title + key] ?? 0) + 1;
  }
  return counts;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
