import { describe, expect, it } from 'vitest';
import { type KeyValueStore, Preferences } from '../../src/model/preferences.js';

function memory(): KeyValueStore & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

const BROKEN: KeyValueStore = {
  getItem: () => {
    throw new Error('forbidden');
  },
  setItem: () => {
    throw new Error('full');
  },
  removeItem: () => {
    throw new Error('forbidden');
  },
};

describe('Preferences', () => {
  it('remembers name, looks and rooms', () => {
    const store = memory();
    const before = new Preferences(store, memory());
    before.name = 'Ada';
    before.theme = 'dark';
    expect(before.notifies).toBeUndefined();
    before.notifies = false;
    before.setRooms('ws://a', ['lobby', '__proto__']);
    const after = new Preferences(store, memory());
    expect([after.name, after.theme, after.notifies]).toEqual(['Ada', 'dark', false]);
    expect(after.rooms('ws://a')).toEqual(['lobby', '__proto__']);
    expect(after.rooms('ws://b')).toBeUndefined();
    expect(after.rooms('__proto__')).toBeUndefined();
  });

  it('remembers a visit for the tab only, until the goodbye', () => {
    const lasting = memory();
    const tab = memory();
    new Preferences(lasting, tab).visit = { server: 'ws://a', name: 'Ada' };
    expect(new Preferences(lasting, tab).visit).toEqual({ server: 'ws://a', name: 'Ada' });
    expect(new Preferences(lasting, memory()).visit).toBeUndefined();
    new Preferences(lasting, tab).visit = undefined;
    expect(new Preferences(lasting, tab).visit).toBeUndefined();
  });

  it('forgets the server that was not visited for longest', () => {
    const preferences = new Preferences(memory(), undefined);
    for (let i = 0; i < 25; i++) preferences.setRooms(`ws://${i}`, ['lobby']);
    expect(preferences.rooms('ws://4')).toBeUndefined();
    expect(preferences.rooms('ws://5')).toEqual(['lobby']);
  });

  it('does without storage, and with what others wrote into it', () => {
    for (const store of [undefined, BROKEN]) {
      const preferences = new Preferences(store, store);
      preferences.name = 'Ada';
      preferences.setRooms('ws://a', ['lobby']);
      preferences.visit = { server: 'ws://a', name: 'Ada' };
      expect([preferences.name, preferences.theme, preferences.rooms('ws://a'), preferences.visit]).toEqual([
        '',
        'system',
        undefined,
        undefined,
      ]);
    }
    for (const junk of ['', '{', '[]', '{"a":1}', '[1,["ws://a",1]]', '[["ws://a",[1,"x"]]]', 'null']) {
      const store = memory();
      for (const key of ['chat.theme', 'chat.rooms', 'chat.connected']) store.values.set(key, junk);
      const preferences = new Preferences(store, store);
      expect(preferences.theme).toBe('system');
      expect(preferences.visit).toBeUndefined();
      expect([undefined, ['x']]).toContainEqual(preferences.rooms('ws://a'));
    }
  });
});
