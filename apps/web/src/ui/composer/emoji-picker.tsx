/**
 * A small tray of emoji. The keyboards of phones have them; this one is for everybody else.
 */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../marks/icon.js';

const EMOJI = [
  ['😀', 'grinning'],
  ['😂', 'tears of joy'],
  ['🙂', 'slight smile'],
  ['😉', 'wink'],
  ['😊', 'blush'],
  ['😍', 'heart eyes'],
  ['😎', 'cool'],
  ['🤔', 'thinking'],
  ['😅', 'sweat smile'],
  ['😢', 'crying'],
  ['😮', 'surprised'],
  ['😴', 'asleep'],
  ['🙈', 'see no evil'],
  ['🤷', 'shrug'],
  ['👍', 'thumbs up'],
  ['👎', 'thumbs down'],
  ['👏', 'clapping'],
  ['🙏', 'thanks'],
  ['👋', 'wave'],
  ['💪', 'strong'],
  ['👀', 'eyes'],
  ['❤️', 'heart'],
  ['🎉', 'party'],
  ['🔥', 'fire'],
  ['✨', 'sparkles'],
  ['⭐', 'star'],
  ['☀️', 'sun'],
  ['☕', 'coffee'],
  ['🍕', 'pizza'],
  ['🎂', 'cake'],
  ['🚀', 'rocket'],
  ['✅', 'done'],
  ['❌', 'cross'],
  ['❓', 'question'],
  ['💡', 'idea'],
  ['🐛', 'bug'],
] as const;

const COLUMNS = 9;

interface EmojiPickerProps {
  readonly onPick: (emoji: string) => void;
}

export function EmojiPicker({ onPick }: EmojiPickerProps): VNode {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const toggle = useRef<HTMLButtonElement>(null);

  useLayoutEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>('.emoji-tray button')?.focus();
    const onDown = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      setOpen(false);
      toggle.current?.focus();
      return;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...(root.current?.querySelectorAll<HTMLElement>('.emoji-tray button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
  };

  return (
    <div class="emoji-picker" ref={root}>
      <button
        type="button"
        class="icon-button"
        ref={toggle}
        aria-label="Emoji"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="smile" />
      </button>
      {open && (
        <div class="emoji-tray" role="menu" tabIndex={-1} aria-label="Emoji" onKeyDown={onKeyDown}>
          {EMOJI.map(([emoji, label], i) => (
            <button
              type="button"
              role="menuitem"
              key={emoji}
              aria-label={label}
              tabIndex={i === 0 ? 0 : -1}
              onClick={() => {
                setOpen(false);
                onPick(emoji);
              }}
            >
              {emoji}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
