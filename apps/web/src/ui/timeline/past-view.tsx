/**
 * A part of the past of a room, around a message that was found. It stands still: pages are asked for with buttons, and
 * what is said meanwhile waits at the end.
 */
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import type { RoomConversation } from '../../model/conversation.js';
import type { Excerpt } from '../../model/excerpt.js';
import { layOut } from '../../model/rows.js';
import { Icon } from '../marks/icon.js';
import { type RowActions, TimelineRow } from './timeline-row.js';

interface PastViewProps {
  readonly model: ChatModel;
  readonly conversation: RoomConversation;
  readonly excerpt: Excerpt;
}

export function PastView({ model, conversation, excerpt }: PastViewProps): VNode {
  const { items, isLoading, atStart, atEnd, problem, hit } = excerpt;
  const scroller = useRef<HTMLDivElement>(null);
  const found = useRef<HTMLDivElement>(null);
  /** What stood first when it was drawn last, and how high all of it was. */
  const drawn = useRef<{ first: string | undefined; height: number }>({ first: undefined, height: 0 });
  const rows = useMemo(
    () => layOut(items, { outgoing: [], ownName: model.name, firstUnread: undefined }),
    [items, model.name],
  );

  const actions = useMemo<RowActions>(
    () => ({ retry: () => {}, discard: () => {}, jump: (seq) => model.showPosition(conversation, seq) }),
    [model, conversation],
  );

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || items.length === 0) return;
    const { first, height } = drawn.current;
    if (first === undefined) {
      // The place that was asked for: to the eye, and to who listens.
      found.current?.scrollIntoView({ block: 'center' });
      found.current?.focus({ preventScroll: true });
    } else if (first !== items[0]?.key) {
      element.scrollTop += element.scrollHeight - height;
    }
    drawn.current = { first: items[0]?.key, height: element.scrollHeight };
  }, [items]);

  // Own words are to be seen, and these stand at the end.
  const newestOwn = conversation.timeline.snapshot.outgoing.at(-1)?.key;
  const ownAtFirst = useRef(newestOwn);
  useEffect(() => {
    if (newestOwn !== undefined && newestOwn !== ownAtFirst.current) model.toNewest(conversation);
  }, [newestOwn, model, conversation]);

  const { unread } = conversation;
  return (
    <div class="timeline past">
      <div
        class="scroll"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={`Earlier messages in ${conversation.name}`}
        aria-busy={isLoading}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach a region that scrolls
        tabIndex={0}
      >
        <div class="filler" />
        <div class="introduction">
          {atStart ? (
            <p>
              This is as far back as <bdi>{conversation.name}</bdi> goes.
            </p>
          ) : (
            items.length > 0 && (
              <button
                type="button"
                class="quiet"
                disabled={isLoading}
                onClick={() => void excerpt.loadOlder()}
              >
                Earlier messages
              </button>
            )
          )}
        </div>
        {rows.map((row) =>
          row.key === hit.id ? (
            <div key={row.key} ref={found} class="found-message" tabIndex={-1} aria-current="true">
              {/* It says who and when, also within a group. */}
              <TimelineRow
                row={row.kind === 'message' ? { ...row, head: true } : row}
                ownName={model.name}
                actions={actions}
              />
            </div>
          ) : (
            <TimelineRow key={row.key} row={row} ownName={model.name} actions={actions} />
          ),
        )}
        <div class="introduction">
          {problem !== undefined ? (
            <p role="alert">{problem}</p>
          ) : (
            items.length > 0 &&
            !atEnd && (
              <button
                type="button"
                class="quiet"
                disabled={isLoading}
                onClick={() => void excerpt.loadNewer()}
              >
                Later messages
              </button>
            )
          )}
        </div>
      </div>
      <button type="button" class="to-end" onClick={() => model.toNewest(conversation)}>
        <Icon name="down" />
        {unread > 0 ? `Back to the newest, ${unread} new` : 'Back to the newest'}
      </button>
    </div>
  );
}
