/** An empty project in a folder of its own, outside this repository: all that it has is what it installs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npmOfThisNode } from '../npm-of-this-node.mjs';
import { npmrcFor } from './registry.mjs';
import { run } from './run.mjs';

export class Project {
  #registry;
  folder;

  constructor(folder, registry) {
    this.folder = folder;
    this.#registry = registry;
    this.write({
      '.npmrc': npmrcFor(registry.url),
      'package.json': JSON.stringify({ name: 'user', private: true, type: 'module' }),
    });
  }

  /** Writes files: texts by path. */
  write(files) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
  }

  read(path) {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** Installs the four packages, or those that are named, and others, by npm. */
  async install(others = [], { node = process.execPath, npm = npmOfThisNode(), args = [], ours } = {}) {
    const names = ours ?? this.#registry.names;
    await this.run(
      node,
      [npm, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...args, ...names, ...others],
      {
        timeoutMs: 300_000,
      },
    );
  }

  /** Runs a program in the folder. @returns what it printed */
  run(program, args, options = {}) {
    return run(program, args, { cwd: this.folder, ...options });
  }

  /** Runs a script of an installed package. */
  bin(path, args, options) {
    return this.run(process.execPath, [join('node_modules', path), ...args], options);
  }
}
