/**
 * The message field. Enter sends, Shift+Enter begins a new line, and a message that was begun stays when the
 * user looks elsewhere.
 */
import type { Member } from '@chat/client';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import type { Conversation } from '../../model/conversation.js';
import { Icon } from '../marks/icon.js';
import { EmojiPicker } from './emoji-picker.js';

/** `keyCode` of whatever an input method takes for itself. */
const INPUT_METHOD_KEY = 229;

interface ComposerProps {
  readonly model: ChatModel;
  readonly conversation: Conversation;
}

export function Composer({ model, conversation }: ComposerProps): VNode {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(conversation.draft);
  const isOnline = model.state.status === 'open';
  const isIn = conversation.kind === 'direct' || conversation.error === undefined;

  const write = (value: string): void => {
    conversation.draft = value;
    setText(value);
  };
  const send = (): void => {
    if (text.trim() === '' || !isIn) return;
    model.writing.send(conversation, text.trimEnd());
    write('');
    field.current?.focus();
  };
  const insert = (emoji: string): void => {
    const { selectionStart: start = text.length, selectionEnd: end = text.length } = field.current ?? {};
    write(text.slice(0, start) + emoji + text.slice(end));
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(start + emoji.length, start + emoji.length);
    });
  };

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
          value={text}
          onInput={(event) => {
            const { value } = event.currentTarget;
            write(value);
            model.writing.type(conversation, value.trim() !== '');
          }}
          onKeyDown={(event) => {
            // While characters are composed (Chinese, Japanese …) Enter ends that. Safari says that it has
            // ended before the key comes; the key is that of an input method all the same.
            const isComposing = event.isComposing || event.keyCode === INPUT_METHOD_KEY;
            if (event.key !== 'Enter' || event.shiftKey || isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <EmojiPicker onPick={insert} />
        <button type="submit" class="icon-button primary" aria-label="Send" disabled={text.trim() === ''}>
          <Icon name="send" />
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
