/**
 * Notifications of the system, for what speaks of the user while nobody looks at the page.
 *
 * The browser asks its user once, and a no is for good. So nobody is asked before there was something to tell, and the
 * page asks first: browsers want a click before they ask.
 */
import type { Preferences } from './preferences.js';

/** Something to tell. */
export interface News {
  /** What it replaces: one notification for each of these. */
  readonly tag: string;
  readonly title: string;
  readonly body: string;
  /** The user wants to see it. */
  readonly open: () => unknown;
}

/** Notifications as a browser has them. */
export interface NotificationPort {
  readonly permission: 'default' | 'granted' | 'denied';
  /** Has the browser ask its user. */
  ask(): Promise<unknown>;
  show(news: News): void;
}

export class Notifications {
  readonly #port: NotificationPort | undefined;
  readonly #preferences: Preferences;
  readonly #onChange: () => void;
  /** Whether the user is to be asked now. */
  isOffered = false;

  /** @param port undefined where the browser has none */
  constructor(port: NotificationPort | undefined, preferences: Preferences, onChange: () => void) {
    this.#port = port;
    this.#preferences = preferences;
    this.#onChange = onChange;
  }

  /** Whether the user can have them. */
  get isPossible(): boolean {
    return this.#port !== undefined && this.#port.permission !== 'denied';
  }

  /** Whether the user has them. */
  get isOn(): boolean {
    return this.#port?.permission === 'granted' && this.#preferences.notifies !== false;
  }

  /** Something speaks of the user. */
  hear(news: News, isVisible: boolean): void {
    if (this.isOn) {
      if (!isVisible) this.#port?.show(news);
    } else if (this.#port?.permission === 'default' && this.#preferences.notifies !== false) {
      this.isOffered = true;
      this.#onChange();
    }
  }

  /** The user has decided, by a click. */
  async turn(isOn: boolean): Promise<void> {
    this.isOffered = false;
    this.#preferences.notifies = isOn;
    this.#onChange();
    if (!isOn || this.#port?.permission !== 'default') return;
    await this.#port.ask();
    this.#onChange();
  }
}
