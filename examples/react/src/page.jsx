import { useConnection } from '@chat/client/react';
import { useState } from 'react';
import { Conversation } from './conversation.jsx';

const ROOMS = ['lobby', 'help'];

/** The state of the connection, and one room at a time. */
export function Page() {
  const { status } = useConnection();
  const [room, setRoom] = useState(ROOMS[0]);
  return (
    <>
      <p role="status">{status}</p>
      <nav>
        {ROOMS.map((name) => (
          <button key={name} type="button" aria-pressed={name === room} onClick={() => setRoom(name)}>
            {name}
          </button>
        ))}
      </nav>
      <Conversation key={room} name={room} />
    </>
  );
}
