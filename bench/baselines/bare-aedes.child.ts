import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/** The baseline: unmodified Aedes, in memory. It acknowledges votes but does not store, check or count them. */
const aedes = await Aedes.createBroker();
const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 }, () => console.log('running'));
