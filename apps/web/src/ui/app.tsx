/**
 * The page: the way in, or the chat.
 */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ChatModel } from '../model/chat-model.js';
import type { Preferences } from '../model/preferences.js';
import { Chat } from './chat.js';
import { useChanges } from './use-changes.js';
import { Welcome } from './welcome.js';

interface AppProps {
  readonly model: ChatModel;
  readonly preferences: Preferences;
}

export function App({ model, preferences }: AppProps): VNode {
  useChanges(model);
  const [theme, setTheme] = useState(preferences.theme);

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    preferences.theme = theme;
  }, [theme, preferences]);

  const place = model.active ? `${model.active.name} · Chat` : 'Chat';
  const title = model.unread > 0 ? `(${model.unread}) ${place}` : place;
  useEffect(() => {
    document.title = title;
  }, [title]);

  return model.phase === 'chatting' ? (
    <Chat model={model} theme={theme} onTheme={setTheme} />
  ) : (
    <Welcome model={model} preferences={preferences} />
  );
}
