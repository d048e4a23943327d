/**
 * A plugin of typedoc: says once, for all packages, what the members named by well-known symbols do. They do the
 * same everywhere, so a sentence beside each would be noise; what has a comment of its own keeps it.
 */
import { Comment, Converter, ReflectionKind } from 'typedoc';

const SENTENCES = new Map([
  ['[dispose]', 'Closes it at the end of a `using` block.'],
  ['[asyncDispose]', 'Closes it at the end of an `await using` block.'],
  ['[asyncIterator]', 'Gives what `for await` iterates over.'],
]);

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const signature of context.project.getReflectionsByKind(ReflectionKind.CallSignature)) {
      const sentence = SENTENCES.get(signature.name);
      if (sentence === undefined || signature.hasComment() || signature.parent?.hasComment()) continue;
      signature.comment = new Comment([{ kind: 'text', text: sentence }]);
    }
  });
}
