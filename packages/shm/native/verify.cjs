// Loads a fresh addon in the Node that runs this file, and exits with 0 only if it does its work there, in the main thread and in a
// worker: two mappings of one file see each other's bytes, an unmapped Buffer is private, one that is given back has no elements,
// a lock excludes another open file and ends with its thread, a futex waits and wakes.
// CommonJS, because `require` is the loader of addons. Called as `node verify.cjs <addon>`.
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const [addonFile] = isMainThread ? process.argv.slice(2) : workerData;
const addon = require(path.resolve(addonFile));
const BYTE = 2 ** 40;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'chat-shm-verify-'));
const file = path.join(folder, 'segment');
fs.writeFileSync(file, Buffer.alloc(addon.PAGESIZE));
const fd = fs.openSync(file, 'r+');
const other = fs.openSync(file, 'r');
let waiting = false;
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

const map = () => addon.map(addon.PAGESIZE, addon.PROT_READ | addon.PROT_WRITE, addon.MAP_SHARED, fd);
const one = map();
const two = map();
Atomics.store(new Int32Array(one.buffer), 3, 42);
assert.equal(two.readInt32LE(12), 42);
addon.unmap(one);
assert.equal(one.readInt32LE(12), 0);
one.writeInt32LE(43, 12);
assert.equal(two.readInt32LE(12), 42);
addon.giveBack(one);
assert.equal(one.length, 0);
assert.throws(() => addon.unmap(Buffer.alloc(64).subarray(1)), TypeError);
assert.throws(() => addon.map(-1, 3, addon.MAP_SHARED, fd), /mmap failed, \d+/);
assert.throws(() => addon.map(4096, 3, addon.MAP_SHARED, 'x'), /fd/);

const held = addon.hold(fd);
assert.equal(addon.isLocked(other, BYTE), false);
assert.equal(addon.lock(held, BYTE), true);
assert.equal(addon.isLocked(other, BYTE), true);
assert.equal(addon.isLocked(other, BYTE + 1), false);
assert.equal(addon.isLocked(held, BYTE), false);
addon.letGo(held);
assert.equal(addon.isLocked(other, BYTE), false);
assert.throws(() => addon.letGo(held), TypeError);
assert.throws(() => addon.isLocked(-1, 0), { code: 'EBADF' });

const words = new Int32Array(two.buffer, two.byteOffset, 16);
assert.equal(addon.futexWait(words, 3, 41, 1000), 1);
assert.equal(addon.futexWait(words, 3, 42, 5), 2);
assert.equal(addon.futexWake(words, 3, 1), 0);

if (isMainThread) {
  const worker = new Worker(__filename, { workerData: [addonFile] });
  worker.once('error', (error) => {
    console.error(error);
    process.exitCode = 1;
  });
  worker.once('message', (theirs) => {
    const seen = fs.openSync(theirs, 'r');
    assert.equal(addon.isLocked(seen, BYTE), true);
    waiting = true;
    worker.terminate().then(() => {
      waiting = false;
      assert.equal(addon.isLocked(seen, BYTE), false);
      fs.rmSync(path.dirname(theirs), { recursive: true, force: true });
    });
  });
  process.on('exit', () => assert.equal(waiting, false));
} else {
  addon.lock(addon.hold(fd), BYTE);
  parentPort.postMessage(file);
  setInterval(() => {}, 1000);
}
