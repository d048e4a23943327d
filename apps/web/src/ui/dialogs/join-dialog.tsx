/**
 * Finds a room by name among those of the server, or makes a new one by joining it.
 */
import type { RoomsPage } from '@chat/client';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import { explain } from '../../text/explain.js';
import { Modal } from './modal.js';

interface JoinDialogProps {
  readonly model: ChatModel;
  readonly onClose: () => void;
}

export function JoinDialog({ model, onClose }: JoinDialogProps): VNode {
  const [name, setName] = useState('');
  const [page, setPage] = useState<RoomsPage | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const field = useRef<HTMLInputElement>(null);
  const wanted = name.trim().replace(/^#/, '');

  useLayoutEffect(() => field.current?.focus(), []);

  useEffect(() => {
    let current = true;
    model.listRooms(wanted).then(
      (found) => current && setPage(found),
      () => {},
    );
    return () => {
      current = false;
    };
  }, [model, wanted]);

  const join = (room: string): void => {
    model.join(room).then(onClose, (error: unknown) => setProblem(explain(error)));
  };
  const rooms = page?.rooms ?? [];
  const isKnown = rooms.some(({ room }) => room.toLowerCase() === wanted.toLowerCase());

  return (
    <Modal title="Join a room" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted !== '') join(wanted);
        }}
      >
        <label class="input">
          <span>Name of the room</span>
          <input
            type="text"
            dir="auto"
            ref={field}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder="garden"
            aria-invalid={problem !== undefined}
            aria-describedby="join-problem"
            value={name}
            onInput={(event) => {
              setName(event.currentTarget.value);
              setProblem(undefined);
            }}
          />
        </label>
        <p class="problem" id="join-problem" role="alert">
          {problem}
        </p>
        <ul class="found">
          {rooms.map(({ room, memberCount }) => (
            <li key={room}>
              <button type="button" class="conversation" onClick={() => join(room)}>
                <span class="hash" aria-hidden="true">
                  #
                </span>
                <bdi class="conversation-name">{room}</bdi>
                <small>{memberCount === 1 ? '1 member' : `${memberCount.toLocaleString()} members`}</small>
              </button>
            </li>
          ))}
        </ul>
        <button type="submit" class="primary wide" disabled={wanted === ''}>
          {wanted === '' || isKnown ? 'Join' : `Begin #${wanted}`}
        </button>
      </form>
    </Modal>
  );
}
