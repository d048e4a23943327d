/** The programs that projects are tried with, each of one exact version: Nodes, and package managers. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.mjs';

/** npm beside this Node, as a script: started by its name it would need a shell on Windows. */
export function npmOfThisNode() {
  const places = [
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
    // biome-ignore lint/suspicious/noUndeclaredEnvVars: set by npm itself; it may name npx.
    (process.env.npm_execpath ?? '').replace(/npx-cli\.js$/, 'npm-cli.js'),
  ];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('npm is not beside Node: run this with "npm run check:packed"');
  return found;
}

/** Installs tools into folders of their own, once each. */
export class Toolbox {
  #folder;
  #installed = new Map();

  constructor(folder) {
    this.#folder = folder;
  }

  /** @returns the path of a Node of this version */
  async node(version) {
    if (version === process.versions.node) return process.execPath;
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    const folder = await this.#install(name, version);
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  }

  /** @returns the script of an npm of this version */
  async npm(version) {
    return join(await this.#install('npm', version), 'bin/npm-cli.js');
  }

  /** @returns the script of a pnpm of this version */
  async pnpm(version) {
    const folder = await this.#install('pnpm', version);
    return join(folder, 'bin', existsSync(join(folder, 'bin/pnpm.mjs')) ? 'pnpm.mjs' : 'pnpm.cjs');
  }

  async #install(name, version) {
    const key = `${name}-${version}`;
    if (!this.#installed.has(key)) {
      this.#installed.set(key, installInto(join(this.#folder, key), `${name}@${version}`));
    }
    await this.#installed.get(key);
    return join(this.#folder, key, 'node_modules', name);
  }
}

async function installInto(folder, spec) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = [npmOfThisNode(), 'install', '--prefer-offline', '--ignore-scripts', '--force', spec];
  await run(process.execPath, args, { cwd: folder, timeoutMs: 180_000 });
}
