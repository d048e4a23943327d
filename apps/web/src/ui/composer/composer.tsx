/**
 * The message field. Enter sends, Shift+Enter begins a new line, and a message that was begun stays when the
 * user looks elsewhere. A slash begins a command; ↑ in an empty field changes the last own message.
 */
import type { Member } from '@chat/client';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import type { Conversation } from '../../model/conversation.js';
import { explain } from '../../text/explain.js';
import { Icon } from '../marks/icon.js';
import { EmojiPicker } from './emoji-picker.js';
import { completableAt, optionId, Suggestions } from './suggestions.js';

/** `keyCode` of whatever an input method takes for itself. */
const INPUT_METHOD_KEY = 229;

interface ComposerProps {
  readonly model: ChatModel;
  readonly conversation: Conversation;
  /** A command wants to search for these words, or none yet. */
  readonly onSearch: (words: string) => void;
}

export function Composer({ model, conversation, onSearch }: ComposerProps): VNode {
  const field = useRef<HTMLTextAreaElement>(null);
  /** Where the caret is to be once the text is there: the next key may come before the next frame. */
  const caret = useRef<number | undefined>(undefined);
  const { editing, answering } = conversation;
  const [draft, setDraft] = useState(conversation.draft);
  const [edited, setEdited] = useState('');
  const [problem, setProblem] = useState<string | undefined>();
  const [cursor, setCursor] = useState(0);
  /** The line whose suggestions were put away, and the one of them that is chosen. */
  const [dismissed, setDismissed] = useState('');
  const [chosen, setChosen] = useState<number | undefined>();
  const text = editing ? edited : draft;
  const isOnline = model.state.status === 'open';
  const isIn = conversation.kind === 'direct' || conversation.error === undefined;

  const rooms = model.conversations.filter(({ kind }) => kind === 'room').map(({ name }) => name);
  const completable =
    editing || text === dismissed ? undefined : completableAt(text, cursor, { names: model.names, rooms });
  const option = Math.min(chosen ?? completable?.first ?? -1, (completable?.words.length ?? 0) - 1);

  const write = (value: string): void => {
    setChosen(undefined);
    setProblem(undefined);
    if (editing) setEdited(value);
    else {
      conversation.draft = value;
      setDraft(value);
    }
  };
  const type = async (line: string): Promise<void> => {
    write('');
    const outcome = await model.type(conversation, line);
    if (outcome === 'kept') write(line);
    else if (outcome !== 'done') onSearch(outcome.search);
  };
  const correct = async (): Promise<void> => {
    if (!editing) return;
    try {
      if (edited.trimEnd() !== editing.value) await model.correct(conversation, editing, edited.trimEnd());
      model.edit(conversation, undefined);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const send = (): void => {
    if (text.trim() === '' || !isIn) return;
    if (editing) void correct();
    else if (text.startsWith('/')) void type(text);
    else {
      model.writing.send(conversation, text.trimEnd());
      write('');
    }
    field.current?.focus();
  };
  const complete = (index: number): void => {
    const word = completable?.words[index];
    if (!completable || word === undefined) return;
    const head = text.slice(0, completable.start) + word;
    write(head + text.slice(completable.end).replace(/^ /, ''));
    setCursor(head.length);
    caret.current = head.length;
  };
  const editLast = (): boolean => {
    const last = conversation.timeline.snapshot.items.findLast((item) => item.kind === 'message' && item.own);
    if (text !== '' || editing || conversation.kind !== 'room' || last?.kind !== 'message') return false;
    model.edit(conversation, last);
    return true;
  };
  /** @returns whether the key is about suggestions, or about the message that is changed */
  const onSpecialKey = (key: string): boolean => {
    if (completable) {
      const { length } = completable.words;
      if (key === 'ArrowDown') setChosen((option + 1) % length);
      else if (key === 'ArrowUp') setChosen((Math.max(option, 0) + length - 1) % length);
      else if (key === 'Tab' || (key === 'Enter' && option >= 0)) complete(Math.max(option, 0));
      else if (key === 'Escape') setDismissed(text);
      else return false;
      return true;
    }
    if (key === 'ArrowUp') return editLast();
    if (key !== 'Escape' || !(editing || answering)) return false;
    model.edit(conversation, undefined);
    return true;
  };
  const insert = (emoji: string): void => {
    const { selectionStart: start = text.length, selectionEnd: end = text.length } = field.current ?? {};
    write(text.slice(0, start) + emoji + text.slice(end));
    caret.current = start + emoji.length;
  };

  useLayoutEffect(() => {
    setEdited(editing?.value ?? '');
    setProblem(undefined);
    if (editing) field.current?.focus();
  }, [editing]);

  useLayoutEffect(() => {
    if (answering) field.current?.focus();
  }, [answering]);

  // Where there is a keyboard on the table, one may write at once. On a phone it would cover half of the
  // screen.
  useLayoutEffect(() => {
    if (matchMedia('(pointer: fine)').matches && !document.querySelector('dialog[open]'))
      field.current?.focus();
  }, []);

  // As high as its text, within the bounds of the style sheet.
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
    if (caret.current === undefined) return;
    element.focus();
    element.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  }, [text]);

  const whom = conversation.kind === 'room' ? `#${conversation.name}` : conversation.name;
  return (
    <form
      class="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p class="typists" aria-hidden="true">
        {writing(conversation.timeline.snapshot.typists)}
      </p>
      {completable && <Suggestions words={completable.words} chosen={option} onPick={complete} />}
      {(editing || answering) && (
        <div class="about">
          <span class="quoted">
            {editing ? (
              'Changing your message'
            ) : (
              <>
                Answering <bdi>{answering?.sender.name || model.name}</bdi>: {answering?.value.slice(0, 160)}
              </>
            )}
          </span>
          <span class="problem" role="alert">
            {problem}
          </span>
          <button type="button" class="quiet" onClick={() => model.edit(conversation, undefined)}>
            Cancel
          </button>
        </div>
      )}
      <div class="field">
        <textarea
          ref={field}
          id="message"
          rows={1}
          dir="auto"
          aria-label={`Message to ${conversation.name}`}
          placeholder={isOnline ? `Message ${whom}` : `Message ${whom}: goes out when the connection is back`}
          enterkeyhint="send"
          disabled={!isIn}
          aria-autocomplete="list"
          aria-controls={completable && 'suggestions'}
          aria-activedescendant={completable && option >= 0 ? optionId(option) : undefined}
          value={text}
          onInput={(event) => {
            const { value } = event.currentTarget;
            write(value);
            setCursor(event.currentTarget.selectionStart);
            model.writing.type(conversation, value.trim() !== '' && !value.startsWith('/') && !editing);
          }}
          onKeyDown={(event) => {
            // While characters are composed (Chinese, Japanese …) Enter ends that. Safari says that it has
            // ended before the key comes; the key is that of an input method all the same.
            const isComposing = event.isComposing || event.keyCode === INPUT_METHOD_KEY;
            if (isComposing) return;
            const isPlain = !(event.shiftKey || event.altKey || event.ctrlKey || event.metaKey);
            if (isPlain && onSpecialKey(event.key)) {
              event.preventDefault();
              event.stopPropagation();
              return;
            }
            if (event.key !== 'Enter' || event.shiftKey) return;
            event.preventDefault();
            send();
          }}
        />
        <EmojiPicker onPick={insert} />
        <button
          type="submit"
          class="icon-button primary"
          aria-label={editing ? 'Save' : 'Send'}
          disabled={text.trim() === ''}
        >
          <Icon name={editing ? 'check' : 'send'} />
        </button>
      </div>
    </form>
  );
}

function writing(typists: readonly Member[]): VNode | undefined {
  const [first, second] = typists;
  if (!first) return undefined;
  if (typists.length > 2) return <>{typists.length} people are writing…</>;
  return (
    <>
      <bdi>{first.name}</bdi>
      {second && (
        <>
          {' and '}
          <bdi>{second.name}</bdi>
        </>
      )}
      {second ? ' are writing…' : ' is writing…'}
    </>
  );
}
