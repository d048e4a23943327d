import { tabIdentity } from '@chat/client';
import { ChatProvider } from '@chat/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Page } from './page.jsx';

const wanted = new URLSearchParams(location.search); // ?name=ada&server=wss://chat.example.org
const url = wanted.get('server') ?? `ws://${location.hostname}:12345`;
const options = { name: wanted.get('name') ?? 'guest', identity: tabIdentity() }; // survives F5

const page = /** @type {HTMLElement} */ (document.querySelector('main'));
createRoot(page).render(
  <StrictMode>
    <ChatProvider url={url} options={options}>
      <Page />
    </ChatProvider>
  </StrictMode>,
);
