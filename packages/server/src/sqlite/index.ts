/**
 * A durable log for the chat server, in one SQLite file.
 *
 * @packageDocumentation
 */
export type { BlockHeader } from '../log/shared/block-header.js';
export type {
  SqliteDatabase,
  SqliteDriver,
  SqliteRow,
  SqliteStatement,
  SqliteValue,
} from './driver.js';
export type { Loss } from './file/store-file.js';
export type { StoreBounds, StoreRetention } from './retention.js';
export {
  BlockStore,
  type BlockStoreOptions,
  type GroupOutcome,
  openBlockStore,
  type StreamedBlock,
} from './shared/block-store.js';
export {
  openStoreView,
  StoreView,
  type StoreViewOptions,
  type StoreWriterPort,
} from './shared/store-view.js';
export { openSqliteLog, SqliteLog, type StoreStats } from './sqlite-log.js';
export type { SqliteLogOptions } from './sqlite-options.js';
export { SqliteStore } from './sqlite-store.js';
export { type BackupOptions, backupStore } from './tools/backup.js';
export { type CheckReport, checkStore } from './tools/check.js';
export { type ForgetOptions, forgetStored } from './tools/forget.js';
export { type ExportOptions, exportStore, importStore } from './tools/transfer.js';
