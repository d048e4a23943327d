/** What stands above and below a message: whom it answers, and who reacts to it. */
import { ACTION_PREFIX, type MessageItem } from '@chat/client/timeline';

/** Characters of what is quoted. */
const MAX_QUOTE = 80;
const MAX_NAMES = 3;

/** A message that is answered, in one line; undefined where nobody knows it any more. */
export function quoteText(said: { readonly name: string; readonly text: string } | undefined): string {
  if (said === undefined) return 'an earlier message';
  const { name, text } = said;
  const isAction = text.startsWith(ACTION_PREFIX);
  const [line = ''] = text
    .slice(isAction ? ACTION_PREFIX.length : 0)
    .trim()
    .split(/[\r\n]/u, 1);
  const characters = [...line];
  const short = characters.length > MAX_QUOTE ? `${characters.slice(0, MAX_QUOTE).join('')}…` : line;
  return isAction ? `* ${name} ${short}` : `${name}: ${short}`;
}

/** Each emoji with those who react with it. */
export function reactionsText(reactions: NonNullable<MessageItem['reactions']>): string {
  return reactions
    .map(({ reaction, by }) => {
      const names = by.slice(0, MAX_NAMES).map(({ name }) => name);
      const more = by.length > names.length ? ` and ${by.length - names.length} more` : '';
      return `${reaction} ${names.join(', ')}${more}`;
    })
    .join('  ');
}
