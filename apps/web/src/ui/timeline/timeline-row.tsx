/**
 * One line of a conversation.
 */
import { ACTION_PREFIX, type MessageItem, type OutgoingItem } from '@chat/client/timeline';
import type { Member } from '@chat/protocol';
import type { VNode } from 'preact';
import { memo } from 'preact/compat';
import { type Row, summarize } from '../../model/rows.js';
import { explain, explainGap } from '../../text/explain.js';
import { clockTime, dayName, wholeTime } from '../../text/moments.js';
import { nameHue } from '../../text/name-mark.js';
import { ActionMenu, type MenuItem } from '../marks/action-menu.js';
import { Avatar } from '../marks/avatar.js';
import { Icon } from '../marks/icon.js';
import { MessageText } from './message-text.js';
import { QuoteLine } from './quote-line.js';
import { ReactionLine } from './reaction-line.js';

/** The actions on a line. */
export interface RowActions {
  readonly retry: (key: string) => void;
  readonly discard: (key: string) => void;
  /** Goes to the message at a position. */
  readonly jump?: (seq: number) => void;
  /** Adds a reaction, or takes it back; without it they are only shown. */
  readonly react?: (item: MessageItem, reaction: string) => void;
  /** Whether the reader is among those who react. */
  readonly isMine?: (by: readonly Member[]) => boolean;
  /** What can be done to a message now; without it there is no menu. */
  readonly menuOf?: (item: MessageItem) => readonly MenuItem[];
}

/** Of a message to somebody who was away. */
const WAITS = 'Waits for them: they are away';

interface RowProps {
  readonly row: Row;
  readonly ownName: string;
  readonly actions: RowActions;
}

export const TimelineRow = memo(
  ({ row, ownName, actions }: RowProps): VNode => {
    switch (row.kind) {
      case 'day':
        return (
          <div class="day">
            <time dateTime={new Date(row.at).toISOString()}>{dayName(row.at, Date.now())}</time>
          </div>
        );
      case 'unread':
        return <div class="unread-mark">New messages</div>;
      case 'message': {
        const { sender, at, own, value, waiting, edited, reactions } = row.item;
        const name = sender.name || ownName;
        const { menuOf } = actions;
        const menu = menuOf && (
          <ActionMenu label={`Actions on the message of ${name}`} items={() => menuOf(row.item)} />
        );
        return (
          <Message name={name} at={at} head={row.head} own={own} menu={menu}>
            {row.quote && (
              <QuoteLine quote={row.quote} ownName={ownName} onJump={(seq) => actions.jump?.(seq)} />
            )}
            <Said text={value} name={name} reader={own ? '' : ownName} />
            {edited && <span class="hint"> (edited)</span>}
            {own &&
              (waiting ? <Status icon="clock" label={WAITS} /> : <Status icon="check" label="Delivered" />)}
            {reactions && (
              <ReactionLine
                reactions={reactions}
                isMine={(by) => actions.isMine?.(by) ?? false}
                onChoose={(reaction) => actions.react?.(row.item, reaction)}
              />
            )}
          </Message>
        );
      }
      case 'outgoing':
        return (
          <Message
            name={ownName}
            at={row.item.at}
            head={row.head}
            own
            status={row.item.status === 'sent' ? undefined : row.item.status}
          >
            <Said text={row.item.value} name={ownName} reader="" />
            <OutgoingStatus outgoing={row.item} actions={actions} />
          </Message>
        );
      case 'notices':
        return (
          <div class="notices" title={wholeTime(row.items.at(-1)?.at ?? 0)}>
            {summarize(row.items).map((phrase) =>
              typeof phrase === 'string' ? phrase : <bdi>{phrase.name}</bdi>,
            )}
          </div>
        );
      case 'change':
        return (
          <div class="notices" title={wholeTime(row.item.at)}>
            <bdi>{row.item.notice.member.name}</bdi> {row.text}
          </div>
        );
      case 'words':
        return (
          <div class={row.item.value.tone === 'problem' ? 'words problem' : 'words'}>
            {row.item.value.text}
          </div>
        );
      case 'mark': {
        if (row.item.kind === 'withdrawn') {
          return (
            <div class="notices">
              A message of <bdi>{row.item.sender.name}</bdi> was taken back by <bdi>{row.item.by}</bdi>.
            </div>
          );
        }
        return (
          <div class="mark">
            <Icon name="alert" />
            {row.item.kind === 'gap' ? (
              explainGap(row.item.gap.reason)
            ) : (
              <span>
                A message of <bdi>{row.item.message.sender.name}</bdi> that this page cannot show.
              </span>
            )}
          </div>
        );
      }
    }
  },
  (before, after) => before.ownName === after.ownName && isSameRow(before.row, after.row),
);

function isSameRow(a: Row, b: Row): boolean {
  if (a.kind !== b.kind || a.key !== b.key) return false;
  if (a.kind === 'message' && b.kind === 'message' && a.quote?.item !== b.quote?.item) return false;
  if ('head' in a && 'head' in b) return a.item === b.item && a.head === b.head;
  // A line of notices grows at its end.
  if (a.kind === 'notices' && b.kind === 'notices') return a.items.length === b.items.length;
  return true;
}

interface MessageProps {
  readonly name: string;
  readonly at: number;
  readonly head: boolean;
  readonly own: boolean;
  readonly status?: OutgoingItem['status'] | undefined;
  readonly menu?: VNode | undefined;
  readonly children: unknown;
}

function Message({ name, at, head, own, status, menu, children }: MessageProps): VNode {
  const time = (
    <time dateTime={new Date(at).toISOString()} title={wholeTime(at)}>
      {clockTime(at)}
    </time>
  );
  const classes = ['message', head && 'head', own && 'own', status].filter(Boolean).join(' ');
  return (
    <div class={classes}>
      <div class="margin">{head ? <Avatar name={name} /> : time}</div>
      <div class="body">
        {head && (
          <p class="who">
            <bdi class="name" style={{ '--hue': nameHue(name) }}>
              {name}
            </bdi>
            {own && <span class="you">you</span>}
            {time}
          </p>
        )}
        {children as VNode}
      </div>
      {menu}
    </div>
  );
}

interface SaidProps {
  readonly text: string;
  readonly name: string;
  readonly reader: string;
}

/** The text of a message. A text behind `/me` is shown as what its sender does. */
function Said({ text, name, reader }: SaidProps): VNode {
  if (!text.startsWith(ACTION_PREFIX)) return <MessageText text={text} reader={reader} />;
  return (
    <em class="does">
      <bdi>{name}</bdi> <MessageText text={text.slice(ACTION_PREFIX.length)} reader={reader} />
    </em>
  );
}

function Status({ icon, label }: { readonly icon: 'check' | 'clock'; readonly label: string }): VNode {
  return (
    <span class="status" title={label}>
      <Icon name={icon} />
      <span class="unseen">{label}</span>
    </span>
  );
}

function OutgoingStatus({
  outgoing: { key, status, error },
  actions,
}: {
  readonly outgoing: OutgoingItem;
  readonly actions: RowActions;
}): VNode {
  if (status === 'sent') return <Status icon="check" label="Delivered" />;
  if (status === 'waiting') return <Status icon="clock" label="On its way" />;
  return (
    <div class="failure">
      <span>{explain(error)}</span>
      <button type="button" class="quiet" onClick={() => actions.retry(key)}>
        Try again
      </button>
      <button type="button" class="quiet" onClick={() => actions.discard(key)}>
        Remove
      </button>
    </div>
  );
}
