import { createChatServer } from '@chat/server';
const s = createChatServer({}); const a = await s.listen({port: Number(process.argv[2]??0), host:'127.0.0.1'}); console.log(a.port);
process.on('SIGTERM', async()=>{ await s.drain(); process.exit(0)});
