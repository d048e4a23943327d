/**
 * The messages of a conversation. Only what is near the visible part is in the document, so ten thousand of
 * them scroll like ten.
 *
 * A reader at the end stays there when something new arrives. A reader further up is not moved, also not when
 * older messages are put in before.
 */
import type { VNode } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import type { Deed } from '../../model/acting/actions.js';
import type { ChatModel } from '../../model/chat-model.js';
import type { Conversation } from '../../model/conversation.js';
import { layOut, type Row } from '../../model/rows.js';
import { Icon } from '../marks/icon.js';
import { messageMenu } from './message-menu.js';
import { type RowActions, TimelineRow } from './timeline-row.js';

/** So near to the end counts as being there. */
const END_PX = 40;
/** So near to the beginning older messages are asked for. */
const START_PX = 600;
/** Scrolling within this time of a touch, a key or the wheel is somebody's will. */
const TOUCHED_MS = 1000;
const UPWARDS: ReadonlySet<string> = new Set(['Home', 'PageUp', 'ArrowUp']);
/** Height of what stands above the first line: as in the style sheet. */
const INTRODUCTION_PX = 56;

interface TimelineViewProps {
  readonly model: ChatModel;
  readonly conversation: Conversation;
  /** Something is to be asked about before it is done. */
  readonly onDeed: (deed: Deed) => void;
}

export function TimelineView({ model, conversation, onDeed }: TimelineViewProps): VNode {
  const { timeline } = conversation;
  const { items, outgoing, firstUnread, shifts: shiftCount, isLoading } = timeline.snapshot;
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const shifts = useRef(shiftCount);
  const touchedAt = useRef(-Infinity);
  const scrolledTo = useRef(0);
  const height = useRef(0);
  const lastSeen = useRef<string | undefined>(undefined);
  const [isAtEnd, setAtEnd] = useState(true);

  const rows = useMemo(
    () => layOut(items, { outgoing, ownName: model.name, firstUnread }),
    [items, outgoing, model.name, firstUnread],
  );
  const isShift = shifts.current !== shiftCount;

  // At once and once: a scroll that goes on by itself would fight with who sets out upwards meanwhile.
  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);
  const askForOlder = useCallback(() => void model.loadOlder(conversation), [model, conversation]);

  // At the place where the reader left off, or at the end.
  useLayoutEffect(() => {
    const unread = rows.findIndex(({ kind }) => kind === 'unread');
    if (unread > 0) {
      follows.current = false;
      list.current?.scrollToIndex(unread, { align: 'start', offset: -72 });
    }
  }, []);

  useLayoutEffect(() => {
    shifts.current = shiftCount;
    if (follows.current) {
      toEnd();
      lastSeen.current = rows.at(-1)?.key;
    }
    const { scrollHeight = 0, clientHeight = 0 } = scroller.current ?? {};
    if (rows.length > 0 && scrollHeight < clientHeight + START_PX) askForOlder();
  }, [rows, shiftCount, askForOlder, toEnd]);

  // An own message is to be seen.
  const newestOwn = outgoing.at(-1)?.key;
  useEffect(() => {
    if (newestOwn === undefined) return;
    follows.current = true;
    toEnd();
  }, [newestOwn, toEnd]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    const climbed = scrolledTo.current - scrollTop;
    scrolledTo.current = scrollTop;
    // The list moves by itself when lines turn out higher or lower than it took them for; only somebody moves
    // through a list that is as high as it was.
    const isByHand = scrollHeight === height.current || performance.now() - touchedAt.current < TOUCHED_MS;
    const isLeaving = climbed > 0 && isByHand;
    height.current = scrollHeight;
    if (isLeaving) follows.current = false;
    else if (isNearEnd) follows.current = true;
    if (follows.current) lastSeen.current = rows.at(-1)?.key;
    setAtEnd(follows.current);
    if (scrollTop < START_PX) askForOlder();
  };
  const onTouched = (): void => {
    touchedAt.current = performance.now();
  };
  /** A reader that sets out upwards is let go at once, before a new line can pull back to the end. */
  const onUpwards = (): void => {
    onTouched();
    if ((scroller.current?.scrollTop ?? 0) > 0) follows.current = false;
  };
  const onResize = (): void => {
    if (follows.current) toEnd();
  };

  const shown = useRef(rows);
  shown.current = rows;
  const jump = useCallback(
    (seq: number) => {
      const index = shown.current.findLastIndex(
        (row) => (row.kind === 'message' || row.kind === 'mark') && 'seq' in row.item && row.item.seq === seq,
      );
      if (index < 0) {
        model.showPosition(conversation, seq);
        return;
      }
      follows.current = false;
      list.current?.scrollToIndex(index, { align: 'center' });
    },
    [model, conversation],
  );

  const actions = useMemo<RowActions>(
    () => ({
      jump,
      retry: (key) => model.writing.retry(conversation, key),
      discard: (key) => model.writing.discard(conversation, key),
      react: (item, reaction) => void model.react(conversation, item, reaction),
      isMine: (by) => model.isAmong(conversation, by),
      menuOf: (item) => messageMenu(model, conversation, item, onDeed),
    }),
    [model, conversation, onDeed, jump],
  );

  const below = isAtEnd ? 0 : countMessagesAfter(rows, lastSeen.current);
  return (
    <div class="timeline">
      <div
        class="scroll"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={conversation.kind === 'room' ? `Messages in ${conversation.name}` : 'Private messages'}
        aria-busy={isLoading}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach a region that scrolls
        tabIndex={0}
        onWheel={(event) => (event.deltaY < 0 ? onUpwards() : onTouched())}
        onTouchMove={onTouched}
        onPointerDown={onTouched}
        onPointerMove={(event) => event.buttons > 0 && onTouched()}
        onKeyDown={(event) => (UPWARDS.has(event.key) ? onUpwards() : onTouched())}
      >
        <div class="filler" />
        <div class="introduction">
          <p>
            <Introduction conversation={conversation} />
          </p>
        </div>
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={isShift}
          startMargin={INTRODUCTION_PX}
          onScroll={onScroll}
          onResize={onResize}
        >
          {(row) => <TimelineRow key={row.key} row={row} ownName={model.name} actions={actions} />}
        </Virtualizer>
      </div>
      {!isAtEnd && (
        <button
          type="button"
          class="to-end"
          onClick={() => {
            follows.current = true;
            toEnd();
          }}
        >
          <Icon name="down" />
          {below > 0 ? `${below} new` : 'Latest'}
        </button>
      )}
    </div>
  );
}

function countMessagesAfter(rows: readonly Row[], key: string | undefined): number {
  let count = 0;
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i];
    if (row === undefined || row.key === key) break;
    if (row.kind === 'message' && !row.item.own) count++;
  }
  return key === undefined ? 0 : count;
}

function Introduction({ conversation }: { readonly conversation: Conversation }): VNode {
  const name = <bdi>{conversation.name}</bdi>;
  if (conversation.kind === 'direct') {
    return <>Nobody else in the chat sees what you and {name} write here.</>;
  }
  const { isLoading, atStart } = conversation.timeline.snapshot;
  if (isLoading) return <>Loading older messages…</>;
  if (atStart) return <>This is as far back as {name} goes.</>;
  return <>Older messages are above.</>;
}
