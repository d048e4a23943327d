#!/usr/bin/env node
/**
 * The public types of each package as text, in `packages/NAME/api-report.md`: a change of the surface is a change
 * of this file, and so is seen in review. Made of the declarations that are published; needs the packages built.
 *
 *     npm run api              writes the reports
 *     npm run api -- --check   says which are not what they should be, and exits with 1
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PACKAGES = fileURLToPath(new URL('../packages', import.meta.url));
const HEAD =
  'What `npm run api` has made of the published types, without comments. A change of it is a change for users: it needs a changeset.';
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** @returns the text of the report of the package in this folder */
export function reportOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entries = Object.entries(exports)
    .filter(([path]) => path !== './package.json')
    .flatMap(([path, conditions]) => entriesOf(join(name, path).replaceAll('\\', '/'), folder, conditions));
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, skipLibCheck: true, noEmit: true },
  );
  // By their text: where it was said before. The same type may be exported by several subpaths.
  const said = new Map();
  const sections = entries.map(({ title, file }) => {
    const { exported, needed } = surface(program, file, dirname(file));
    const parts = [tell(exported, 'export ', title, said)];
    const unsaid = needed.filter(({ statements }) => !said.has(statements.join('\n')));
    if (unsaid.length > 0) parts.push('Types that these speak of:', tell(unsaid, '', title, said));
    return `## ${title}\n\n${parts.join('\n\n')}\n`;
  });
  return `# Public types of ${name}\n\n${HEAD}\n\n${sections.join('\n')}`;
}

/** What is new as a block, and the names of what was said before. */
function tell(symbols, modifier, title, said) {
  const fresh = [];
  const known = new Map();
  for (const { name, statements } of symbols) {
    const text = statements.map((statement) => modifier + statement).join('\n');
    const key = statements.join('\n');
    const place = said.get(key);
    if (place === undefined) {
      fresh.push(text);
      said.set(key, title);
    } else known.set(place, [...(known.get(place) ?? []), `\`${name}\``]);
  }
  const parts = [...known].map(([place, names]) => `As in ${place}: ${names.join(', ')}.`);
  if (fresh.length > 0) parts.push(`\`\`\`typescript\n${fresh.join('\n')}\n\`\`\``);
  return parts.join('\n\n');
}

/** The declarations of a subpath: one, or one for each platform that has its own. */
function entriesOf(title, folder, conditions) {
  const own = { title, file: join(folder, conditions.import.types) };
  const browser = conditions.browser?.import.types;
  return browser ? [own, { title: `${title} (browser)`, file: join(folder, browser) }] : [own];
}

/** What a module exports, and which types of the same package are needed to say it. */
function surface(program, file, dist) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is not there: run "npm run build" first`);
  const resolve = (symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = new Map(
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(source))
      .map((symbol) => [resolve(symbol), symbol.name]),
  );
  const needed = new Map();
  /** The statements of this package that declare a symbol. */
  const statementsOf = (symbol) =>
    (symbol.declarations ?? []).map(statementOf).filter((node) => node && isIn(node, dist));

  const collect = (node) => {
    if (ts.isIdentifier(node)) {
      const found = checker.getSymbolAtLocation(node);
      const symbol = found && resolve(found);
      if (symbol && !exported.has(symbol) && !needed.has(symbol) && statementsOf(symbol).length > 0) {
        needed.set(symbol, symbol.name);
        statementsOf(symbol).forEach(collect);
      }
    }
    ts.forEachChild(node, collect);
  };
  for (const symbol of exported.keys()) statementsOf(symbol).forEach(collect);

  const inOrder = (symbols) =>
    [...symbols]
      .map(([symbol, name]) => ({ name, statements: statementsOf(symbol).map(print) }))
      .map(({ name, statements }) =>
        statements.length > 0
          ? { name, statements }
          : { name, statements: [`{ ${name} }; // of another package`] },
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { exported: inOrder(exported), needed: inOrder(needed) };
}

/** The statement at the top of its file that declares something; undefined for members, parameters and the like. */
function statementOf(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  // A whole file has no parent: `typeof import(…)`.
  return node.parent && ts.isSourceFile(node.parent) ? node : undefined;
}

function isIn(node, folder) {
  return !relative(folder, node.getSourceFile().fileName).startsWith('..');
}

/** Without what is private: users cannot name it. */
function print(statement) {
  const text = printer.printNode(ts.EmitHint.Unspecified, statement, statement.getSourceFile());
  return text
    .replace(/^(export |declare )+/, '')
    .split('\n')
    .filter((line) => !/^ +(#private;|private )/.test(line))
    .join('\n');
}

/** The reports by their path. */
export function allReports() {
  return new Map(
    readdirSync(PACKAGES).map((name) => {
      const folder = join(PACKAGES, name);
      return [join(folder, 'api-report.md'), reportOf(folder)];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of allReports()) {
    if (!process.argv.includes('--check')) writeFileSync(path, text);
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      console.error(`${relative(process.cwd(), path)} is not what the types are now: run "npm run api"`);
      process.exitCode = 1;
    }
  }
}
