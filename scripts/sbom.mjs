#!/usr/bin/env node
/**
 * `node scripts/sbom.mjs FILE`: writes what the four packages bring with them, as CycloneDX. It is made of what npm
 * installs from their tarballs into an empty project, and not of this repository, whose tools no user gets.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmOfThisNode } from './npm-of-this-node.mjs';
import { Project } from './packed/project.mjs';
import { serveTarballs } from './packed/registry.mjs';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node scripts/sbom.mjs FILE');

const folder = mkdtempSync(join(tmpdir(), 'chat-sbom-'));
const registry = await serveTarballs(join(folder, 'tarballs'));
try {
  const project = new Project(join(folder, 'project'), registry);
  project.write({ 'package.json': '{ "name": "chat", "version": "0.0.0", "private": true }' });
  await project.install();
  const sbom = await project.run(process.execPath, [npmOfThisNode(), 'sbom', '--sbom-format', 'cyclonedx']);
  writeFileSync(file, `${sbom}\n`);
  for (const { name, version } of JSON.parse(sbom).components) console.log(`${name} ${version}`);
} finally {
  registry.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
