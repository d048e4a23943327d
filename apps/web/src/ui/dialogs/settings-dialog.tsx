/**
 * Name and looks.
 */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import type { Theme } from '../../model/preferences.js';
import { explain } from '../../text/explain.js';
import { Modal } from './modal.js';

interface SettingsDialogProps {
  readonly model: ChatModel;
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  readonly onClose: () => void;
}

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function SettingsDialog({ model, theme, onTheme, onClose }: SettingsDialogProps): VNode {
  const [name, setName] = useState(model.name);
  const [problem, setProblem] = useState<string | undefined>();
  return (
    <Modal title="Settings" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() === model.name) return onClose();
          model.rename(name.trim()).then(onClose, (error: unknown) => setProblem(explain(error)));
        }}
      >
        <label class="input">
          <span>Your name</span>
          <input
            type="text"
            dir="auto"
            required
            autocomplete="nickname"
            spellcheck={false}
            aria-invalid={problem !== undefined}
            aria-describedby="rename-problem"
            value={name}
            onInput={(event) => {
              setName(event.currentTarget.value);
              setProblem(undefined);
            }}
          />
        </label>
        <p class="problem" id="rename-problem" role="alert">
          {problem}
        </p>
        <fieldset class="choice">
          <legend>Looks</legend>
          {THEMES.map(([value, label]) => (
            <label key={value}>
              <input
                type="radio"
                name="theme"
                value={value}
                checked={theme === value}
                onChange={() => onTheme(value)}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
        {model.notifications.isPossible && (
          <label class="tick">
            <input
              type="checkbox"
              checked={model.notifications.isOn}
              onChange={(event) => void model.notifications.turn(event.currentTarget.checked)}
            />
            <span>Notify me when somebody speaks to me and I look elsewhere</span>
          </label>
        )}
        <button type="submit" class="primary wide">
          Save
        </button>
      </form>
    </Modal>
  );
}
