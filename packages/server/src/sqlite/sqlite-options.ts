/** Options of a store, and which of them make sense. */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { StoreBounds, StoreRetention } from './retention.js';

/** How a store behaves. */
export interface SqliteLogOptions {
  /** Folder of the store; it is made if it is not there. One process has it open at a time. */
  readonly directory: string;
  /**
   * What an entry survives before anybody is shown it: `process` the end of the process, however that comes; `disk` the
   * loss of power as well, for a flush of the disk per group.
   *
   * @defaultValue 'process'
   */
  readonly durability?: 'process' | 'disk';
  /** How much of the past is kept. @defaultValue everything */
  readonly retention?: StoreRetention;
  /**
   * What happens with entries that cannot be stored: they are refused until they can, or from then on are kept in memory
   * only, until the process ends.
   *
   * @defaultValue 'refuse'
   */
  readonly onStoreFailure?: 'refuse' | 'memory';
  /** Whether messages can be searched. @defaultValue true */
  readonly search?: boolean;
  /** Bytes of drafts that wait for the disk, at the most; more are refused. @defaultValue 16 MiB */
  readonly maxPendingBytes?: number;
  /** Bytes of the newest entries that a start brings into memory. @defaultValue 8 MiB */
  readonly tailBytes?: number;
  /** Space that is kept for a full disk. @defaultValue 16 MiB */
  readonly reserveBytes?: number;
}

type Settings = Required<SqliteLogOptions>;

const MIB = 1_048_576;

const NAMES: OptionNames<SqliteLogOptions> = {
  directory: true,
  durability: true,
  retention: true,
  onStoreFailure: true,
  search: true,
  maxPendingBytes: true,
  tailBytes: true,
  reserveBytes: true,
};

const BOUND_NAMES: OptionNames<StoreBounds> = { maxAgeMs: true, maxEntries: true, maxBytes: true };

const RETENTION_NAMES: OptionNames<StoreRetention> = {
  ...BOUND_NAMES,
  rooms: true,
  inboxes: true,
  byRoom: true,
};

/**
 * The options with what is the default of the others.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function resolveOptions(options: SqliteLogOptions): Settings {
  refuse(optionProblem(options, NAMES));
  const settings: Settings = {
    directory: options.directory,
    durability: options.durability ?? 'process',
    retention: options.retention ?? {},
    onStoreFailure: options.onStoreFailure ?? 'refuse',
    search: options.search ?? true,
    maxPendingBytes: options.maxPendingBytes ?? 16 * MIB,
    tailBytes: options.tailBytes ?? 8 * MIB,
    reserveBytes: options.reserveBytes ?? 16 * MIB,
  };
  const { directory, durability, onStoreFailure } = settings;
  if (typeof directory !== 'string' || directory === '') refuse('directory must be the path of a folder');
  if (!['process', 'disk'].includes(durability)) refuse("durability must be 'process' or 'disk'");
  if (!['refuse', 'memory'].includes(onStoreFailure)) refuse("onStoreFailure must be 'refuse' or 'memory'");
  for (const name of ['maxPendingBytes', 'tailBytes', 'reserveBytes'] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 0) {
      refuse(`${name} ${settings[name]} must be a number of bytes`);
    }
  }
  assertRetention(settings.retention);
  return settings;
}

function assertRetention(retention: StoreRetention): void {
  refuse(optionProblem(retention, RETENTION_NAMES, 'retention'));
  const { rooms, inboxes, byRoom = {}, ...all } = retention;
  assertBounds(all, 'retention');
  if (rooms) assertBounds(rooms, 'retention.rooms');
  if (inboxes) assertBounds(inboxes, 'retention.inboxes');
  for (const [room, bounds] of Object.entries(byRoom)) assertBounds(bounds, `retention.byRoom.${room}`);
}

function assertBounds(bounds: StoreBounds, group: string): void {
  refuse(optionProblem(bounds, BOUND_NAMES, group));
  for (const [name, value] of Object.entries(bounds)) {
    if (value !== undefined && !(value > 0)) refuse(`${group}.${name} ${value} must be more than 0`);
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new ServerError(ServerErrorCode.BadOption, `openSqliteLog: ${problem}`);
}
