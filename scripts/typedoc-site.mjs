/**
 * A plugin of typedoc: what a page says that was written for the repository, made right for the site.
 *
 * Links to folders and to pages that the site does not have lead to the repository, instead of nowhere or to a
 * file of bare Markdown. Links from a package to a page that the site does have stay on it. And a README does
 * not repeat the title that stands above it already.
 */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ReflectionKind } from 'typedoc';

const REPOSITORY = 'https://github.com/chat-log/chat/blob/main/';
/** Files that are shown in the page, or loaded by it. */
const MEDIA = /\.(svg|png|jpg)$/;

export function load(app) {
  const root = process.cwd().replaceAll('\\', '/');
  app.on(
    'reviveProject',
    (project) => {
      const { files } = project;
      const documents = project.getReflectionsByKind(ReflectionKind.Document);
      const pages = new Map(documents.map((document) => [files.getReflectionPath(document), document]));
      const isOnSite = ({ target }) =>
        target !== undefined && typeof files.resolve(target, project) === 'object';
      const toSite = (address) => {
        const [path, anchor] = address.slice(REPOSITORY.length).split('#');
        const page = pages.get(`${root}/${path}`);
        if (page === undefined) return undefined;
        const { target } = files.registerAbsolute(`${root}/${path}`);
        return { kind: 'relative-link', text: address, target, targetAnchor: anchor };
      };
      const mend = (part, folder) => {
        if (part.kind !== 'relative-link' || MEDIA.test(part.text) || isOnSite(part)) return [part];
        const path = posix.join(folder, part.text);
        return existsSync(join(root, path)) ? [{ kind: 'text', text: REPOSITORY + path }] : [part];
      };
      const split = (part) =>
        part.kind !== 'text'
          ? [part]
          : part.text.split(/(?<=\]\()(https:[^)\s]+)(?=\))/).map((text) => {
              const link = text.startsWith(REPOSITORY) ? toSite(text) : undefined;
              return link ?? { kind: 'text', text };
            });

      for (const owner of [project, ...project.getReflectionsByKind(ReflectionKind.Module)]) {
        if (owner.readme === undefined) continue;
        const [first, ...others] = owner.readme;
        if (first?.kind === 'text') first.text = first.text.replace(/^\s*# .*\n/, '');
        owner.readme = [first, ...others].flatMap((part) => mend(part, '')).flatMap(split);
      }
      for (const document of documents) {
        const folder = posix.dirname(posix.relative(root, files.getReflectionPath(document) ?? root));
        document.content = document.content.flatMap((part) => mend(part, folder)).flatMap(split);
      }
    },
    -400,
  );
}
