import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LEAST_ROLE, mayDo, ROLES } from '../../../src/log/state/permissions.js';

const document = readFileSync(new URL('../../../../../docs/moderation.md', import.meta.url), 'utf8');

it('has the roles that the table of docs/moderation.md has', () => {
  const rows = [...document.matchAll(/^\| `([a-z-]+)` \| (\w+) \|/gm)].map(([, action, role]) => [
    action,
    role,
  ]);
  expect(Object.fromEntries(rows)).toEqual(LEAST_ROLE);
});

it('lets nobody act against the same role or a greater one, and everybody with a role act where there is no other', () => {
  for (const role of ROLES) {
    expect(mayDo(role, 'kick', role)).toBe(false);
    expect(mayDo(role, 'mute', 'owner')).toBe(false);
  }
  expect([mayDo('member', 'topic'), mayDo('moderator', 'topic'), mayDo('owner', 'topic')]).toEqual([
    false,
    true,
    true,
  ]);
  expect([mayDo('moderator', 'kick', 'member'), mayDo('owner', 'kick', 'moderator')]).toEqual([true, true]);
  // What is done to nobody asks for nobody's role.
  expect(mayDo('moderator', 'take-back', 'owner')).toBe(true);
});
