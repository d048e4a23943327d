// Loads a fresh addon in the Node that runs this file, and exits with 0 only if it does its work there: two mappings of
// one file see each other's bytes, in the main thread and in a worker, and an unmapped Buffer is private.
// CommonJS, because `require` is the loader of addons. Called as `node verify.cjs <addon> <expected ABI>`.
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const [addonFile, abi] = isMainThread ? process.argv.slice(2) : workerData;
const addon = require(path.resolve(addonFile));
assert.equal(
  process.versions.modules,
  abi,
  `this is Node ${process.version}, ABI ${process.versions.modules}`,
);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'chat-shm-verify-'));
try {
  const file = path.join(folder, 'segment');
  fs.writeFileSync(file, Buffer.alloc(addon.PAGESIZE));
  const fd = fs.openSync(file, 'r+');
  const map = () => addon.map(addon.PAGESIZE, addon.PROT_READ | addon.PROT_WRITE, addon.MAP_SHARED, fd);
  const one = map();
  const two = map();
  Atomics.store(new Int32Array(one.buffer), 3, 42);
  assert.equal(two.readInt32LE(12), 42);
  addon.unmap(one);
  assert.equal(one.readInt32LE(12), 0);
  one.writeInt32LE(43, 12);
  assert.equal(two.readInt32LE(12), 42);
  assert.throws(() => addon.unmap(Buffer.alloc(64).subarray(1)), TypeError);
  fs.closeSync(fd);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

if (isMainThread) {
  new Worker(__filename, { workerData: [addonFile, abi] }).once('error', (error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
