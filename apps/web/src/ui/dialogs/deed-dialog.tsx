/**
 * The last question before something is done to a message, to a member or to the room: what it means, for how long, and
 * why. What the server refuses is said here, and nothing is lost of what was written.
 */
import { type ModerationCommand, REACTIONS, ROLES } from '@chat/client/timeline';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Deed } from '../../model/acting/actions.js';
import type { ChatModel } from '../../model/chat-model.js';
import type { RoomConversation } from '../../model/conversation.js';
import { explain } from '../../text/explain.js';
import { Modal } from './modal.js';

interface DeedDialogProps {
  readonly model: ChatModel;
  readonly conversation: RoomConversation;
  readonly deed: Deed;
  readonly onClose: () => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DURATIONS: readonly (readonly [label: string, ms: number | undefined])[] = [
  ['10 minutes', 10 * MINUTE_MS],
  ['1 hour', HOUR_MS],
  ['1 day', 24 * HOUR_MS],
  ['7 days', 7 * 24 * HOUR_MS],
  ['For good', undefined],
];
/** Those that take nothing away from anybody. */
const CALM: ReadonlySet<Deed['kind']> = new Set(['role', 'topic', 'react']);
/** As the server has it. */
const MAX_REASON = 100;

/** What is written in the field. */
const LABELS: Partial<Record<Deed['kind'], string>> = { topic: 'Topic', react: 'Another emoji' };

/** How a deed is put: its name, what it means, and what its button says. */
function wordsOf(deed: Deed, room: string): readonly [title: string, meaning: string, button: string] {
  switch (deed.kind) {
    case 'take-back':
      return [
        'Take back this message?',
        'It is gone for everybody, and cannot be brought back.',
        'Take back',
      ];
    case 'kick':
      return [`Show ${deed.user} out?`, `They leave ${room}, and may come again.`, 'Show out'];
    case 'mute':
      return [`Mute ${deed.user}?`, `They stay in ${room}, and cannot say anything.`, 'Mute'];
    case 'ban':
      return [`Ban ${deed.user}?`, `They leave ${room}, and are not let in again.`, 'Ban'];
    case 'role':
      return [`Role of ${deed.user}`, `What they may do in ${room}.`, 'Give the role'];
    case 'react':
      return ['React', 'Everybody in the room sees who has chosen what.', 'React'];
    case 'topic':
      return ['Topic', `What ${room} is about; empty for nothing.`, 'Save'];
  }
}

export function DeedDialog({ model, conversation, deed, onClose }: DeedDialogProps): VNode {
  const [duration, setDuration] = useState(0);
  const [text, setText] = useState(deed.kind === 'topic' ? deed.topic : deed.kind === 'role' ? 'member' : '');
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [title, meaning, button] = wordsOf(deed, conversation.name);
  const field = useRef<HTMLInputElement>(null);
  // Behind the window, whose first button has the focus until then.
  useLayoutEffect(() => field.current?.focus(), []);
  const isGrave = !CALM.has(deed.kind);

  const react = (emoji: string): void => {
    if (deed.kind !== 'react' || emoji === '') return;
    void model.react(conversation, deed.item, emoji);
    onClose();
  };

  const doIt = async (): Promise<void> => {
    if (deed.kind === 'react') {
      react(text.trim());
      return;
    }
    setBusy(true);
    try {
      if (deed.kind === 'take-back') await model.correct(conversation, deed.item, undefined);
      else await model.moderate(conversation, commandOf(deed, text.trim(), DURATIONS[duration]?.[1]));
      onClose();
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  };

  return (
    <Modal title={title} onClose={onClose}>
      <form
        aria-busy={isBusy}
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void doIt();
        }}
      >
        <p class="meaning">{meaning}</p>
        {(deed.kind === 'mute' || deed.kind === 'ban') && (
          <fieldset class="choice">
            <legend>For how long</legend>
            {DURATIONS.map(([label], index) => (
              <label key={label}>
                <input
                  type="radio"
                  name="duration"
                  checked={duration === index}
                  onChange={() => setDuration(index)}
                />
                <span>{label}</span>
              </label>
            ))}
          </fieldset>
        )}
        {deed.kind === 'role' && (
          <fieldset class="choice">
            <legend>Role</legend>
            {ROLES.map((role) => (
              <label key={role}>
                <input type="radio" name="role" checked={text === role} onChange={() => setText(role)} />
                <span>{role}</span>
              </label>
            ))}
          </fieldset>
        )}
        {deed.kind === 'react' && (
          <div class="reactions">
            {[...REACTIONS].map(([name, emoji]) => (
              <button
                type="button"
                class="reaction"
                key={name}
                aria-label={name}
                onClick={() => react(emoji)}
              >
                {emoji}
              </button>
            ))}
          </div>
        )}
        {deed.kind !== 'take-back' && deed.kind !== 'role' && (
          <label class="input">
            <span>{LABELS[deed.kind] ?? 'Reason, if there is one to be told'}</span>
            <input
              type="text"
              ref={field}
              dir="auto"
              maxLength={deed.kind === 'topic' ? undefined : MAX_REASON}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        )}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="answers">
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={isGrave ? 'primary grave' : 'primary'} disabled={isBusy}>
            {button}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function commandOf(
  deed: Exclude<Deed, { kind: 'take-back' | 'react' }>,
  text: string,
  durationMs: number | undefined,
): ModerationCommand {
  if (deed.kind === 'topic') return { type: 'topic', topic: text };
  if (deed.kind === 'role') return { type: 'role', user: deed.user, role: text };
  const { kind: type, user } = deed;
  return {
    type,
    user,
    ...(text !== '' && { reason: text }),
    ...(type !== 'kick' && durationMs !== undefined && { durationMs }),
  };
}
