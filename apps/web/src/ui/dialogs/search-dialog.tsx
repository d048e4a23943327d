/**
 * Finds messages by their words, in all rooms or in the one that is looked at, and jumps to them.
 */
import type { SearchHit } from '@chat/client';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatModel } from '../../model/chat-model.js';
import type { Search } from '../../model/search.js';
import { splitMarks } from '../../text/marked.js';
import { clockTime, dayName } from '../../text/moments.js';
import { nameHue } from '../../text/name-mark.js';
import { Modal } from './modal.js';

interface SearchDialogProps {
  readonly model: ChatModel;
  readonly onClose: () => void;
}

/** A query has 1024 bytes at the most. */
const MAX_QUERY_CHARACTERS = 256;

export function SearchDialog({ model, onClose }: SearchDialogProps): VNode {
  const { search, active } = model;
  const here = active?.kind === 'room' ? active.name : undefined;
  const [words, setWords] = useState(search.words);
  const [onlyHere, setOnlyHere] = useState(search.room !== undefined && search.room === here);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.select(), []);

  const find = (only: boolean): void => {
    if (words.trim() !== '') void search.find(words.trim(), only ? here : undefined);
  };
  return (
    <Modal title="Search" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find(onlyHere);
        }}
      >
        <label class="input">
          <span>Words, “a phrase”, or the beginning of a word*</span>
          <input
            type="search"
            dir="auto"
            ref={field}
            enterkeyhint="search"
            autocomplete="off"
            maxLength={MAX_QUERY_CHARACTERS}
            aria-describedby="search-status"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
        {here !== undefined && (
          <label class="only-here">
            <input
              type="checkbox"
              checked={onlyHere}
              onChange={(event) => {
                setOnlyHere(event.currentTarget.checked);
                if (search.hits) find(event.currentTarget.checked);
              }}
            />
            <span>
              Only in <bdi>{here}</bdi>
            </span>
          </label>
        )}
        <p class={search.problem ? 'problem' : 'search-status'} id="search-status" role="status">
          {statusOf(search)}
        </p>
        <ul class="hits" aria-label="Messages that were found" aria-busy={search.isUnderWay}>
          {search.hits?.map((hit) => (
            <li key={hit.id}>
              <Hit
                hit={hit}
                onChosen={() => {
                  onClose();
                  model.showHit(hit);
                }}
              />
            </li>
          ))}
        </ul>
        {search.hasMore && (
          <button
            type="button"
            class="quiet wide"
            disabled={search.isUnderWay}
            onClick={() => void search.more()}
          >
            Look further back
          </button>
        )}
        <button type="submit" class="primary wide" disabled={words.trim() === ''}>
          Search
        </button>
      </form>
    </Modal>
  );
}

function Hit({ hit, onChosen }: { readonly hit: SearchHit; readonly onChosen: () => void }): VNode {
  const { room, at, sender, snippet, marks } = hit;
  return (
    <button type="button" class="hit" onClick={onChosen}>
      <span class="hit-place">
        <bdi class="name" style={{ '--hue': nameHue(sender.name) }}>
          {sender.name}
        </bdi>
        <span>
          in <bdi>{room}</bdi>
        </span>
        <time dateTime={new Date(at).toISOString()}>
          {dayName(at, Date.now())}, {clockTime(at)}
        </time>
      </span>
      <span class="snippet" dir="auto">
        {splitMarks(snippet, marks).map(({ text, isMarked }) => (isMarked ? <mark>{text}</mark> : text))}
      </span>
    </button>
  );
}

function statusOf({ hits, hasMore, isBehind, isUnderWay, problem }: Search): string {
  if (isUnderWay) return 'Searching…';
  if (problem !== undefined) return problem;
  if (!hits) return '';
  const count = hits.length === 1 ? '1 message' : `${hits.length.toLocaleString()} messages`;
  const found = hits.length === 0 ? (hasMore ? 'Nothing found yet' : 'Nothing found') : count;
  return `${found}.${isBehind ? ' The newest messages are not searched yet: try again in a moment.' : ''}`;
}
