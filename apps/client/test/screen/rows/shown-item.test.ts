import { describe, expect, it } from 'vitest';
import { shownItem } from '../../../src/screen/rows/shown-item.js';
import { came, said } from '../support/states.js';

describe('shownItem', () => {
  it('calms what others wrote, and knows what they do', () => {
    const item = shownItem(said('b\u001B[2Job', '/me wa\u0007ves at ada'), 'ada');
    expect(item).toMatchObject({ type: 'spoken', action: true, mentions: true });
    expect(JSON.stringify(item)).not.toMatch(/\\u00(1b|07)/i);
  });

  it('knows what waits for a reader who is away', () => {
    expect(shownItem(said('ada', 'psst', { own: true, waits: true }), 'ada')).toMatchObject({
      waits: true,
    });
    expect(shownItem(said('ada', 'psst'), 'ada')).not.toHaveProperty('waits');
  });

  it('shows comings and goings of others, but not those of before', () => {
    expect(shownItem(came(), 'ada')).toMatchObject({ type: 'note', lines: ['bob has joined the chat'] });
    expect(shownItem(came({ own: true }), 'ada')).toBeUndefined();
    expect(shownItem(came({ history: true }), 'ada')).toBeUndefined();
  });
});
