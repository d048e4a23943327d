/**
 * The web client of the chat. Ties the model to this page: its storage, its visibility, and its going away.
 */
import { createChatClient } from '@chat/client';
import { render } from 'preact';
import { ChatModel } from './model/chat-model.js';
import type { NotificationPort } from './model/notifications.js';
import { type KeyValueStore, Preferences } from './model/preferences.js';
import { diagnose } from './sign-in/diagnosis.js';
import { App } from './ui/app.js';
import './style/base.css';
import './style/welcome.css';
import './style/layout.css';
import './style/timeline.css';
import './style/composer.css';
import './style/search.css';

const HIDDEN_FRAME_MS = 250;

const preferences = new Preferences(
  storage(() => localStorage),
  storage(() => sessionStorage),
);
const model = new ChatModel({
  createClient: createChatClient,
  preferences,
  schedule: drawSoon,
  diagnose: (server) => diagnose(server, location, (url, options) => fetch(url, options)),
  isVisible: () => !document.hidden,
  notifications: notificationsOf(window),
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) model.markRead();
});
// A goodbye sets the name free at once, so that the page can be loaded again under it.
addEventListener('pagehide', () => void model.suspend());
// The browser kept the page and shows it again, but its connection is gone.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

const root = document.getElementById('app');
if (root) render(<App model={model} preferences={preferences} />, root);

const { visit } = preferences;
if (visit) void model.connect(visit.server, visit.name, { again: true });

/**
 * With the next frame; or without one, since a page that nobody sees, or that is hidden before the frame
 * comes, has none, and its title still counts what is unread.
 */
function drawSoon(draw: () => void): void {
  const frame = requestAnimationFrame(drawOnce);
  const timer = setTimeout(drawOnce, HIDDEN_FRAME_MS);
  function drawOnce(): void {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    draw();
  }
}

/** The notifications of the browser; undefined where it has none. */
function notificationsOf(
  page: Window & Partial<Pick<typeof globalThis, 'Notification'>>,
): NotificationPort | undefined {
  const { Notification } = page;
  if (!Notification) return undefined;
  return {
    get permission() {
      return Notification.permission;
    },
    ask: () => Notification.requestPermission(),
    show: ({ tag, title, body, open }) => {
      try {
        const shown = new Notification(title, { tag, body });
        shown.onclick = () => {
          page.focus();
          shown.close();
          open();
        };
      } catch {
        // Some browsers of telephones have them for service workers alone.
      }
    },
  };
}

/** Browsers throw at the mere look at storage that the user forbids. */
function storage(get: () => Storage): KeyValueStore | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
