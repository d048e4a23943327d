/**
 * A window in front of the page. The browser's own dialog keeps the focus inside, closes on Escape and gives
 * the focus back.
 */
import type { ComponentChildren, VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from '../marks/icon.js';

interface ModalProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Modal({ title, onClose, children }: ModalProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key arrives: who types on at once types into it.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Escape, which the browser sees to.
    <dialog
      ref={dialog}
      class="modal"
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        // Beside the content is the dialog itself.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="modal-content">
        <div class="section-title">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
