/** The programs that projects are tried with, each of one exact version: Nodes, and package managers. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmOfThisNode } from '../npm-of-this-node.mjs';
import { run } from './run.mjs';

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
