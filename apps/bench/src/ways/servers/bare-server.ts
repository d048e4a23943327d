/**
 * The least that a broadcast costs in Node: a loop of `socket.write` of what came in, unread, to everybody, the
 * publisher included, as our server does. No room, no name, no history, nothing in the way of a slow reader.
 */
import { createServer, type Socket } from 'node:net';

const sockets = new Set<Socket>();

createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    for (const other of sockets) other.write(bytes);
  });
  socket.write('.');
}).listen(Number(process.argv[2]), '127.0.0.1');
