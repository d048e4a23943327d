import { describe, expect, it } from 'vitest';
import { connect } from '../../src/index.js';
import { ScriptedServer } from './scripted-server.js';

describe('ScriptedServer', () => {
  it('is a transport like the others', async () => {
    const server = new ScriptedServer();
    server.hospitable = true;
    const client = await connect('tcp://test', { name: 'ada', transport: server.transport });
    await client.close();
    expect(server.end.ended).toBe('end');
  });
});
