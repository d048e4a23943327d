/** The same with Socket.IO: a room that everybody is in, events passed on to the others. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer().listen(Number(process.argv[2]), '127.0.0.1');
const server = new Server(http, { serveClient: false, transports: ['websocket'] });

server.on('connection', (socket) => {
  void socket.join('room');
  socket.on('m', (payload: string) => {
    socket.to('room').emit('m', payload);
  });
});
