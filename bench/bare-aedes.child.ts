import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/** The peer: Aedes as it comes, in memory. It acknowledges; it stores, checks and counts nothing. */
const aedes = await Aedes.createBroker();
const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 }, () => console.log('running'));
