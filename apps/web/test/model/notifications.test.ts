import { describe, expect, it } from 'vitest';
import { type News, type NotificationPort, Notifications } from '../../src/model/notifications.js';
import { Preferences } from '../../src/model/preferences.js';

/** A browser whose user answers `answer`. */
function browser(
  permission: NotificationPort['permission'],
  answer: NotificationPort['permission'] = 'granted',
) {
  const values = new Map<string, string>();
  const store = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
  const port = {
    permission,
    asked: 0,
    shown: [] as string[],
    ask() {
      this.asked++;
      this.permission = answer;
      return Promise.resolve();
    },
    show({ title, body }: News) {
      this.shown.push(`${title}: ${body}`);
    },
  };
  return { port, notifications: new Notifications(port, new Preferences(store, undefined), () => {}) };
}

const NEWS: News = { tag: 'room:lobby', title: 'Grace in lobby', body: 'Ada?', open: () => {} };

describe('Notifications', () => {
  it('are offered with the first news and never before, and the browser asks after a click alone', async () => {
    const { port, notifications } = browser('default');
    expect(notifications).toMatchObject({ isOffered: false, isOn: false, isPossible: true });
    notifications.hear(NEWS, false);
    expect(notifications.isOffered).toBe(true);
    expect([port.asked, port.shown]).toEqual([0, []]);
    await notifications.turn(true);
    expect(notifications).toMatchObject({ isOffered: false, isOn: true });
    expect(port.asked).toBe(1);
  });

  it('are shown while nobody looks, and only then', () => {
    const { port, notifications } = browser('granted');
    notifications.hear(NEWS, true);
    expect(port.shown).toEqual([]);
    notifications.hear(NEWS, false);
    expect(port.shown).toEqual(['Grace in lobby: Ada?']);
    expect(notifications.isOffered).toBe(false);
  });

  it('are not offered again to a user who does not want them, and can be turned on later', async () => {
    const { port, notifications } = browser('default');
    notifications.hear(NEWS, true);
    await notifications.turn(false);
    notifications.hear(NEWS, false);
    expect(notifications.isOffered).toBe(false);
    expect(port.asked).toBe(0);
    await notifications.turn(true);
    expect(notifications.isOn).toBe(true);
    await notifications.turn(false);
    notifications.hear(NEWS, false);
    expect(port.shown).toEqual([]);
  });

  it('stay away where the browser forbids them, or has none', async () => {
    const { port, notifications } = browser('default', 'denied');
    await notifications.turn(true);
    notifications.hear(NEWS, false);
    expect(notifications).toMatchObject({ isOffered: false, isOn: false, isPossible: false });
    expect(port.shown).toEqual([]);
    const none = new Notifications(undefined, new Preferences(undefined, undefined), () => {});
    none.hear(NEWS, false);
    expect(none).toMatchObject({ isOffered: false, isOn: false, isPossible: false });
  });
});
