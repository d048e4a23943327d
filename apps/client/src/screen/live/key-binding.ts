/**
 * The meanings of keys: changes of the state, and tasks for the controller.
 */

import type { Edit } from '../state/input-line.js';
import type { ScreenEvent, ScreenState } from '../state/screen-state.js';
import type { Key } from '../terminal/keyboard.js';

/** A task of the controller. */
export type Task =
  | { readonly type: 'submit' }
  | { readonly type: 'interrupt' }
  | { readonly type: 'end' }
  | { readonly type: 'suspend' }
  | { readonly type: 'redraw' }
  | { readonly type: 'reconnect' }
  /** Sends again what failed. */
  | { readonly type: 'retry' }
  /** Gives up what failed. */
  | { readonly type: 'discard' }
  | { readonly type: 'switch'; readonly to: number | 'next' | 'previous' | 'unread' }
  | { readonly type: 'send-paste'; readonly as: 'message' | 'lines' };

/** The meaning of a key; undefined for a key that means nothing here. */
export type Binding = { readonly event: ScreenEvent } | { readonly task: Task } | undefined;

const EDITS: Readonly<Record<string, Exclude<Edit['type'], 'insert'>>> = {
  left: 'left',
  right: 'right',
  home: 'home',
  end: 'end',
  backspace: 'delete-left',
  delete: 'delete-right',
  'ctrl+b': 'left',
  'ctrl+f': 'right',
  'ctrl+a': 'home',
  'ctrl+e': 'end',
  'ctrl+h': 'delete-left',
  'ctrl+u': 'delete-to-home',
  'ctrl+k': 'delete-to-end',
  'ctrl+w': 'delete-word-left',
  'ctrl+left': 'word-left',
  'ctrl+right': 'word-right',
  'alt+left': 'word-left',
  'alt+right': 'word-right',
  'alt+b': 'word-left',
  'alt+f': 'word-right',
  'alt+d': 'delete-word-right',
  'alt+backspace': 'delete-word-left',
  'ctrl+delete': 'delete-word-right',
};

const EVENTS: Readonly<Record<string, ScreenEvent>> = {
  tab: { type: 'complete', direction: 1 },
  'shift+tab': { type: 'complete', direction: -1 },
  up: { type: 'recall', direction: -1 },
  down: { type: 'recall', direction: 1 },
  pageup: { type: 'scroll', by: 'page', direction: -1 },
  pagedown: { type: 'scroll', by: 'page', direction: 1 },
  'shift+up': { type: 'scroll', by: 'row', direction: -1 },
  'shift+down': { type: 'scroll', by: 'row', direction: 1 },
  'alt+up': { type: 'scroll', by: 'row', direction: -1 },
  'alt+down': { type: 'scroll', by: 'row', direction: 1 },
  'ctrl+end': { type: 'scroll-to-end' },
  escape: { type: 'scroll-to-end' },
};

const TASKS: Readonly<Record<string, Task>> = {
  return: { type: 'submit' },
  enter: { type: 'submit' },
  'ctrl+c': { type: 'interrupt' },
  'ctrl+d': { type: 'end' },
  'ctrl+z': { type: 'suspend' },
  'ctrl+l': { type: 'redraw' },
  'ctrl+r': { type: 'reconnect' },
  'ctrl+n': { type: 'switch', to: 'next' },
  'ctrl+p': { type: 'switch', to: 'previous' },
  'alt+n': { type: 'switch', to: 'next' },
  'alt+p': { type: 'switch', to: 'previous' },
  'alt+r': { type: 'retry' },
  'alt+x': { type: 'discard' },
  'alt+a': { type: 'switch', to: 'unread' },
};

const PASTE_TASKS: Readonly<Record<string, Binding>> = {
  return: { task: { type: 'send-paste', as: 'message' } },
  enter: { task: { type: 'send-paste', as: 'message' } },
  l: { task: { type: 'send-paste', as: 'lines' } },
  escape: { event: { type: 'paste-decided' } },
  'ctrl+c': { event: { type: 'paste-decided' } },
};

/** The meaning of `key` while `state` is shown. */
export function bindKey(key: Key, state: ScreenState): Binding {
  if (key.type === 'paste') return state.paste ? undefined : { event: { type: 'pasted', text: key.text } };
  const { chord, text } = key;
  // While pasted lines wait, no key may send half of them or be taken for part of a text.
  if (state.paste) return PASTE_TASKS[chord.toLowerCase()];
  const edit = EDITS[chord];
  if (edit) {
    if (chord === 'end' && state.input.text === '') return { event: { type: 'scroll-to-end' } };
    return { event: { type: 'edit', edit: { type: edit } } };
  }
  const event = EVENTS[chord];
  if (event) return { event };
  const task = TASKS[chord];
  if (task) return { task };
  const number = /^alt\+([1-9])$/.exec(chord)?.[1];
  if (number) return { task: { type: 'switch', to: Number(number) - 1 } };
  return text === '' ? undefined : { event: { type: 'edit', edit: { type: 'insert', text } } };
}
