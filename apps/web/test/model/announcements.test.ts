import { expect, it } from 'vitest';
import { Announcements } from '../../src/model/announcements.js';

it('keeps the newest six sentences, each with a key of its own', () => {
  const announcements = new Announcements();
  for (let i = 0; i < 8; i++) announcements.say(`${i}`);
  expect(announcements.all.map(({ text }) => text).join('')).toBe('234567');
  announcements.clear();
  announcements.say('again');
  expect(announcements.all).toEqual([{ key: 9, text: 'again' }]);
});
