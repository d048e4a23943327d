/**
 * A plugin of typedoc: what a page says that was written for the repository, made right for the site.
 *
 * `docs/README.md` is the first page, and the only place that says which other pages there are: its headings are the
 * groups, the text of a link is the title of a page, and their order is that of the links. The README of a package
 * is the page of its module.
 *
 * Links to folders and to files that the site does not have lead to the repository, instead of nowhere or to a
 * file of bare Markdown. Links from a package to a page that the site does have stay on it. And a README does
 * not repeat the title that stands above it already.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Comment, JSX, ReflectionKind } from 'typedoc';

const REPOSITORY = 'https://github.com/chat-log/chat/blob/main/';
const FIRST_PAGE = 'docs/README.md';
/** The group of the modules. */
const PACKAGES = 'Packages';
/** A module is called by its package. */
const PACKAGE_README = /^packages\/(\w+)\/README\.md$/;
/** Files that are shown in the page, or loaded by it. */
const MEDIA = /\.(svg|png|jpg)$/;

export function load(app) {
  const root = process.cwd().replaceAll('\\', '/');
  const listed = pagesOf(readFileSync(join(root, FIRST_PAGE), 'utf8'));

  app.on('bootstrapEnd', () => {
    // Each package is converted by itself, with options of its own.
    if (app.options.getValue('entryPointStrategy') !== 'packages') return;
    app.options.setValue('projectDocuments', [...listed.keys()]);
  });

  // Before groups are made.
  app.on(
    'reviveProject',
    (project) => {
      const { files } = project;
      project.comment ??= new Comment();
      project.comment.modifierTags.add('@showGroups');
      for (const document of project.documents ?? []) {
        const path = posix.relative(root, files.getReflectionPath(document));
        document.frontmatter.group = listed.get(path).group;
        document.name = addressOf(path);
      }
      for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
        const [, name] = /^@chat\/(\w+)$/.exec(module.name) ?? [];
        if (name) files.registerReflectionPath(`${root}/packages/${name}/README.md`, module);
      }
    },
    100,
  );

  app.on(
    'reviveProject',
    (project) => {
      const { files } = project;
      const documents = project.getReflectionsByKind(ReflectionKind.Document);
      const onSite = new Set(documents.map((document) => files.getReflectionPath(document)));
      onSite.add(`${root}/${FIRST_PAGE}`);
      const isOnSite = ({ target }) =>
        target !== undefined && typeof files.resolve(target, project) === 'object';
      const linkTo = (text, path, targetAnchor) => {
        const { target } = files.registerAbsolute(`${root}/${path}`);
        return { kind: 'relative-link', text, target, targetAnchor };
      };
      const toSite = (address) => {
        const [path, anchor] = address.slice(REPOSITORY.length).split('#');
        return onSite.has(`${root}/${path}`) ? linkTo(address, path, anchor) : undefined;
      };
      const mend = (part, folder) => {
        if (part.kind !== 'relative-link' || MEDIA.test(part.text) || isOnSite(part)) return [part];
        const path = posix.join(folder, part.text);
        const [file, anchor] = path.split('#');
        if (PACKAGE_README.test(file)) return [linkTo(part.text, file, anchor)];
        return existsSync(join(root, file)) ? [{ kind: 'text', text: REPOSITORY + path }] : [part];
      };
      const split = (part) =>
        part.kind !== 'text'
          ? [part]
          : part.text.split(/(?<=\]\()(https:[^)\s]+)(?=\))/).map((text) => {
              const link = text.startsWith(REPOSITORY) ? toSite(text) : undefined;
              return link ?? { kind: 'text', text };
            });

      for (const group of project.groups ?? []) if (group.title === 'Modules') group.title = PACKAGES;
      for (const owner of [project, ...project.getReflectionsByKind(ReflectionKind.Module)]) {
        if (owner.readme === undefined) continue;
        const folder = owner === project ? posix.dirname(FIRST_PAGE) : '';
        const [first, ...others] = owner.readme;
        if (first?.kind === 'text') first.text = first.text.replace(/^\s*# .*\n/, '');
        owner.readme = [first, ...others].flatMap((part) => mend(part, folder)).flatMap(split);
      }
      for (const document of documents) {
        const folder = posix.dirname(posix.relative(root, files.getReflectionPath(document) ?? root));
        document.content = document.content.flatMap((part) => mend(part, folder)).flatMap(split);
      }
    },
    -400,
  );

  // The groups are open until a reader closes them.
  const groups = JSON.stringify([...new Set([...listed.values()].map(({ group }) => group)), PACKAGES]);
  const openGroups = `for (const group of ${groups}) try { localStorage['tsd-accordion-' + group] ??= 'true'; } catch {}`;
  app.renderer.hooks.on('head.begin', () =>
    JSX.createElement('script', null, JSX.createElement(JSX.Raw, { html: openGroups })),
  );

  // Once the names have become addresses.
  app.renderer.on('beginRender', ({ project }) => {
    for (const document of project.documents ?? []) {
      const path = posix.relative(root, project.files.getReflectionPath(document));
      document.name = listed.get(path).title;
    }
  });
}

/** What a page is called in its address: `docs/guides/coming-from/ws.md` is `coming-from-ws`. */
function addressOf(path) {
  const address = path.replace(/^docs\/(guides\/)?/, '').replace(/(\/README)?\.md$/, '');
  return address === 'README' ? 'overview' : address.replaceAll('/', '-');
}

/** The pages that the first page links to, by path, in its order; those of packages are no documents. */
function pagesOf(text) {
  const pages = new Map();
  for (const section of text.split(/^## /m).slice(1)) {
    const group = section.slice(0, section.indexOf('\n'));
    for (const [, title, target] of section.matchAll(/\[([^\]]+)\]\(([^)\s]+\.md)\)/g)) {
      const path = posix.join(posix.dirname(FIRST_PAGE), target);
      if (!PACKAGE_README.test(path)) pages.set(path, { group, title: title.replaceAll('`', '') });
    }
  }
  return pages;
}
