/**
 * The way in: a server, a name, and one button.
 */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatModel } from '../model/chat-model.js';
import type { Preferences } from '../model/preferences.js';
import { pageAddress, serverUrl, shownAddress } from '../sign-in/server-address.js';

interface WelcomeProps {
  readonly model: ChatModel;
  readonly preferences: Preferences;
}

export function Welcome({ model, preferences }: WelcomeProps): VNode {
  const [server, setServer] = useState(model.server ? shownAddress(model.server) : pageAddress(location));
  const [name, setName] = useState(preferences.name);
  const [password, setPassword] = useState('');
  const [complaint, setComplaint] = useState<string | undefined>();
  const nameField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const isBusy = model.phase === 'connecting';
  const problem = complaint ?? model.problem;

  useLayoutEffect(() => (passwordField.current ?? nameField.current)?.focus(), [model.wantsPassword]);

  const connect = (): void => {
    const url = serverUrl(server, location);
    if (url === undefined) setComplaint('This is not the address of a server.');
    else if (name.trim() === '') setComplaint('Choose a name, so that others know who speaks.');
    else {
      setComplaint(undefined);
      void model.connect(url, name.trim(), { password });
    }
  };

  return (
    <main class="welcome">
      <form
        class="card"
        noValidate
        aria-busy={isBusy}
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) connect();
        }}
      >
        <img src="icon.svg" alt="" width="52" height="52" />
        <h1>Chat</h1>
        <p class="lead">Talk with everybody on this server.</p>
        <label class="input">
          <span>Server</span>
          <input
            type="text"
            name="server"
            inputMode="url"
            autocomplete="url"
            autocapitalize="off"
            spellcheck={false}
            value={server}
            onInput={(event) => setServer(event.currentTarget.value)}
          />
        </label>
        <label class="input">
          <span>Your name</span>
          <input
            type="text"
            name="name"
            dir="auto"
            ref={nameField}
            autocomplete={model.wantsPassword ? 'username' : 'nickname'}
            spellcheck={false}
            aria-invalid={problem !== undefined}
            aria-describedby="problem"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        {model.wantsPassword && (
          <label class="input">
            <span>Password</span>
            <input
              type="password"
              name="password"
              ref={passwordField}
              autocomplete="current-password"
              aria-describedby="problem"
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </label>
        )}
        <p class="problem" id="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary wide" disabled={isBusy}>
          {isBusy ? 'Connecting…' : 'Connect'}
        </button>
        {isBusy && (
          <button type="button" class="quiet wide" onClick={() => model.disconnect()}>
            Cancel
          </button>
        )}
      </form>
    </main>
  );
}
