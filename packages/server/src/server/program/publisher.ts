/**
 * What the program around the server says: messages to rooms and to users. It is no member, so the sender of its
 * messages has the id 0, and they carry the name that it says them under. No hook is asked and no rate is charged.
 */
import { type Codec, type Failure, roomNameProblem, textCodec } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { inboxKey, type LogEntry, type Origin } from '../../log/entry.js';
import type { Outcome } from '../../log/state/outcome.js';
import { userOf } from '../../log/state/session-number.js';
import { userNameProblem } from '../../names/names.js';
import type { Room } from '../../room/room.js';
import { directOrigin } from '../../session/directs/direct-origin.js';
import type { ProgramContext } from './context.js';
import { entryId } from './entry.js';
import { refusalError } from './refusal.js';

/** How the program says something. */
export interface PublishOptions<T = string> {
  /** The name that it is said under, by the rules of user names. Somebody else may have it. */
  readonly as: string;
  /** @defaultValue `textCodec` */
  readonly codec?: Codec<T>;
}

/** Where a message of the program is. */
export interface Published {
  /** Name of the entry for everybody: epoch and seq. */
  readonly id: string;
  /** Position in the log. */
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
}

/** Where a direct message of the program is, and what it has come to. */
export interface PublishedDirect extends Published {
  /** `delivered`: the user is connected. `waiting`: the user is away, and gets it when it comes back in time. */
  readonly delivery: 'delivered' | 'waiting';
}

/** The sender of what the program says. */
const PROGRAM = 0;

export class ProgramPublisher {
  readonly #context: ProgramContext;
  /** Those that the log has not answered yet. */
  readonly #underway = new Set<(error: ServerError) => void>();

  constructor(context: ProgramContext) {
    this.#context = context;
  }

  async publish<T>(roomName: string, value: T, options: PublishOptions<T>): Promise<Published> {
    const problem = roomNameProblem(roomName);
    if (problem) throw new ServerError(ServerErrorCode.RoomInvalid, problem);
    const message = this.#encode(value, options);
    const room = this.#context.rooms.find(roomName) ?? (await this.#makeRoom(roomName));
    return this.#settled((resolve, reject) => {
      this.#append(room.key, message, {
        appended: (entry) => resolve(this.#placeOf(entry)),
        refused: (failure) => this.#refuse(failure, reject),
      });
    });
  }

  async direct<T>(user: string, value: T, options: PublishOptions<T>): Promise<PublishedDirect> {
    const message = this.#encode(value, options);
    const session = this.#context.sessions.holderOf(user);
    if (!session) throw new ServerError(ServerErrorCode.NoSuchUser, `nobody here is called ${clip(user)}`);
    return this.#settled((resolve, reject) => {
      const refused = (failure: Failure): void => this.#refuse(failure, reject);
      const accepted = (entry: LogEntry, _outcome: Outcome, isWaiting: boolean): void =>
        resolve({ ...this.#placeOf(entry), delivery: isWaiting ? 'waiting' : 'delivered' });
      const { name, body } = message;
      const sender = { accepted, refused };
      const origin = directOrigin(this.#context.sessions, session, name.length + body.length, sender);
      if ('code' in origin) refused(origin);
      else this.#append(inboxKey(userOf(session.memberId)), message, origin);
    });
  }

  /** Rejects what waits for an answer of the log: there will be none. */
  close(): void {
    const closed = new ServerError(
      ServerErrorCode.Closed,
      'the server was closed before the log had the message',
    );
    for (const reject of [...this.#underway]) reject(closed);
  }

  #encode<T>(value: T, { as, codec = textCodec as Codec<unknown> as Codec<T> }: PublishOptions<T>): Message {
    const problem = userNameProblem(as);
    if (problem) throw new ServerError(ServerErrorCode.NameInvalid, `as: ${problem}`);
    const body = codec.encode(value);
    const { maxMessageBytes: max } = this.#context;
    if (body.length > max) {
      const actual = body.length;
      const message = `message of ${actual} bytes exceeds ${max}`;
      throw new ServerError(ServerErrorCode.TooLarge, message, { max, actual });
    }
    return { name: Buffer.from(as), codec: codec.tag, body };
  }

  #makeRoom(name: string): Promise<Room> {
    const { rooms, options } = this.#context;
    if (rooms.looksLikeAnother(name)) {
      const message = `${name} looks like the name of another room`;
      throw new ServerError(ServerErrorCode.RoomInvalid, message);
    }
    return this.#settled((resolve, reject) => {
      const limit = rooms.make(name, '', (made) =>
        made && 'code' in made ? reject(refusalError(made)) : resolve(made),
      );
      if (limit === undefined) return;
      const max = options[limit];
      reject(new ServerError(ServerErrorCode.TooManyRooms, `there are ${max} rooms already`, { max }));
    });
  }

  #append(room: string, { name, codec, body }: Message, origin: Origin): void {
    const { log, options, counters } = this.#context;
    counters.messagesIn++;
    const at = options.clock.now();
    const draft = { room, codec, name, body, at, origin, sender: PROGRAM, publishId: 0, kind: 0 } as const;
    log.append({ ...draft, type: FrameType.Message });
  }

  #placeOf({ seq, at }: LogEntry): Published {
    return { id: entryId(this.#context.log.epoch, seq), seq, at };
  }

  #refuse(failure: Failure, reject: (error: ServerError) => void): void {
    this.#context.counters.messagesRefused++;
    reject(refusalError(failure));
  }

  /** A promise that `close` settles too. */
  #settled<R>(
    start: (resolve: (result: R) => void, reject: (error: ServerError) => void) => void,
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const fail = (error: ServerError): void => {
        this.#underway.delete(fail);
        reject(error);
      };
      this.#underway.add(fail);
      start((result) => {
        this.#underway.delete(fail);
        resolve(result);
      }, fail);
    });
  }
}

/** A message that is encoded and within its limits. */
interface Message {
  readonly name: Uint8Array;
  readonly codec: number;
  readonly body: Uint8Array;
}

/** What a stranger may have written, short enough for a message. */
function clip(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
