/**
 * A button that opens a menu of actions. The menu is a dialog of the browser: it lies above everything, keeps the focus
 * inside, closes on Escape and gives the focus back.
 */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.js';

/** One line of a menu. */
export interface MenuItem {
  readonly label: string;
  /** Whether it takes something away from somebody. */
  readonly isGrave?: boolean;
  readonly run: () => void;
}

interface ActionMenuProps {
  /** What the menu is about, for those who do not see it. */
  readonly label: string;
  /** Asked when the menu opens. */
  readonly items: () => readonly MenuItem[];
}

export function ActionMenu({ label, items }: ActionMenuProps): VNode {
  const [shown, setShown] = useState<readonly MenuItem[] | undefined>();
  const button = useRef<HTMLButtonElement>(null);
  return (
    <span class="actions">
      <button
        type="button"
        class="icon-button"
        ref={button}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={shown !== undefined}
        onClick={() => setShown(items())}
      >
        <Icon name="more" />
      </button>
      {shown && (
        <Menu label={label} items={shown} anchor={button.current} onClose={() => setShown(undefined)} />
      )}
    </span>
  );
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly anchor: HTMLElement | null;
  readonly onClose: () => void;
}

/** Distance from the edge of the window. */
const EDGE_PX = 8;

function Menu({ label, items, anchor, onClose }: MenuProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.showModal();
    const { bottom = 0, top = 0, right = 0 } = anchor?.getBoundingClientRect() ?? {};
    const { offsetWidth, offsetHeight } = element;
    const fits = bottom + offsetHeight + EDGE_PX <= innerHeight;
    element.style.left = `${Math.max(EDGE_PX, right - offsetWidth)}px`;
    element.style.top = `${Math.max(EDGE_PX, fits ? bottom : top - offsetHeight)}px`;
    return () => element.close();
  }, [anchor]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(dialog.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -at, End: -at - 1 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  };
  return (
    <dialog
      ref={dialog}
      class="menu"
      aria-label={label}
      onClose={onClose}
      onKeyDown={onKeyDown}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div role="menu" aria-label={label}>
        {items.map(({ label: words, isGrave, run }) => (
          <button
            type="button"
            role="menuitem"
            key={words}
            class={isGrave ? 'grave' : undefined}
            onClick={() => {
              // Now, so that a window which opens next gives the focus back to the button.
              dialog.current?.close();
              onClose();
              run();
            }}
          >
            {words}
          </button>
        ))}
      </div>
    </dialog>
  );
}
