import { useMembers, useMessages, useRoom, useTyping } from '@chat/client/react';

/** A room: who is in it, what was said, what is on its way, and who is writing. */
export function Conversation({ name }) {
  const room = useRoom(name, { history: 50 });
  const { items, outgoing, send, retry } = useMessages(room);
  const members = useMembers(room);
  const { typists, typing } = useTyping(room);

  if (room.status === 'failed') {
    return (
      <p role="alert">
        {room.error?.message}{' '}
        <button type="button" onClick={room.retry}>
          Try again
        </button>
      </p>
    );
  }

  function submit(event) {
    event.preventDefault();
    const { text } = event.currentTarget.elements;
    if (text.value !== '') void send(text.value); // shown at once; what fails can be sent again
    text.value = '';
  }

  return (
    <section aria-label={name}>
      <p>In the room: {members.map((member) => member.name).join(', ')}</p>
      <ol>
        {items.map((item) => (
          <Item key={item.key} item={item} />
        ))}
        {outgoing.map(({ key, value, error }) => (
          <li key={key}>
            <i>{value}</i>{' '}
            {error !== undefined && (
              <button type="button" onClick={() => retry(key)}>
                Send again
              </button>
            )}
          </li>
        ))}
      </ol>
      <p aria-live="polite">{typists.length > 0 && `${typists.map((one) => one.name).join(', ')} …`}</p>
      <form onSubmit={submit}>
        <input
          name="text"
          aria-label="Message"
          autoComplete="off"
          onInput={() => typing(true)}
          onBlur={() => typing(false)}
        />
      </form>
    </section>
  );
}

function Item({ item }) {
  if (item.kind === 'message') {
    return (
      <li>
        <b>{item.sender.name}</b>: {item.value}
      </li>
    );
  }
  if (item.kind === 'notice') {
    return (
      <li>
        {item.notice.member.name} {item.notice.kind}
      </li>
    );
  }
  return <li>{item.kind === 'gap' ? 'Something is missing here.' : 'A message that cannot be read.'}</li>;
}
