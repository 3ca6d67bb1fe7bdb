import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { Duplex } from 'node:stream';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

/** Usual latency of a line between a device and a broker in ms, one way. */
const LATENCY_MS = 15;

type Accept = (socket: Duplex) => void;

/** Lines between devices and the ports on which brokers listen. Bytes arrive in order, or not at all once a line is cut. */
export class Network {
  private readonly schedule: Schedule<Machine>;
  private readonly random: Random;
  private readonly ports = new Map<number, { readonly machine: Machine; readonly accept: Accept }>();
  private readonly lines = new Set<Line>();
  private lastPort = 0;

  constructor(schedule: Schedule<Machine>, random: Random) {
    this.schedule = schedule;
    this.random = random;
  }

  /** A server of `node:net` on a simulated machine. */
  listen(machine: Machine, onConnection?: unknown): Server {
    const server = new EventEmitter();
    const port = ++this.lastPort;
    if (typeof onConnection === 'function') server.on('connection', onConnection as Accept);
    const methods = {
      listen: () => {
        this.ports.set(port, { machine, accept: (socket) => server.emit('connection', socket) });
        machine.onDeath(() => this.ports.delete(port));
        machine.after(0, () => server.emit('listening'));
        return server;
      },
      close: () => {
        this.ports.delete(port);
        return server;
      },
      address: () => ({ port, address: '127.0.0.1', family: 'IPv4' }),
      unref: () => server,
    };
    return Object.assign(server, methods) as EventEmitter as Server;
  }

  /** Connects a device to a port. If nobody listens there, the line is soon closed. */
  connect(port: number, device: Machine): Line {
    const line = new Line(this.schedule, this.random, device);
    this.lines.add(line);
    line.onEnd(() => this.lines.delete(line));
    const server = this.ports.get(port);
    if (!server || server.machine.isDead) line.refuse();
    else line.open(server.machine, server.accept);
    return line;
  }

  /** The lines that are open, in the order in which they were opened. */
  get open(): readonly Line[] {
    return [...this.lines];
  }
}

/** A connection as the device sees it. */
export class Line {
  /** Called when the broker sends something; what it returns is called when that arrives at the device. */
  onSent: (bytes: Buffer) => () => void = () => () => {};
  /** Called when the device learns that the connection has ended. */
  onClosed: () => void = () => {};
  /** How many times slower than usual the line is. */
  slowness = 1;
  private readonly schedule: Schedule<Machine>;
  private readonly random: Random;
  private readonly device: Machine;
  private broker: Machine | undefined;
  private socket: Socket | undefined;
  /** When the last bytes arrive in each direction. */
  private arrivesMs = { atBroker: 0, atDevice: 0 };
  private isSilent = false;
  private isOver = false;
  private readonly ends: (() => void)[] = [];

  constructor(schedule: Schedule<Machine>, random: Random, device: Machine) {
    this.schedule = schedule;
    this.random = random;
    this.device = device;
  }

  /** The machine at the other end. */
  get to(): Machine | undefined {
    return this.broker;
  }

  onEnd(ended: () => void): void {
    this.ends.push(ended);
  }

  open(broker: Machine, accept: Accept): void {
    this.broker = broker;
    const socket = new Socket(this);
    this.socket = socket;
    broker.onDeath(() => this.lose());
    this.deliver('atBroker', () => accept(socket));
  }

  refuse(): void {
    this.schedule.after(LATENCY_MS, this.device, () => this.closeAtDevice());
  }

  send(bytes: Buffer): void {
    this.deliver('atBroker', () => this.socket?.push(bytes));
  }

  /** The device closes the connection. */
  close(): void {
    if (this.isOver) return;
    this.deliver('atBroker', () => this.socket?.lost());
    this.end();
  }

  answer(bytes: Buffer): void {
    const arrived = this.onSent(bytes);
    this.deliver('atDevice', arrived);
  }

  /** The broker closes the connection. */
  closeFromBroker(): void {
    this.deliver('atDevice', () => this.closeAtDevice());
  }

  /** Both ends soon learn that the connection is gone; what is under way is lost. */
  lose(): void {
    if (this.isOver) return;
    const { broker, socket } = this;
    this.isSilent = true;
    if (broker) this.schedule.after(this.latency(), broker, () => socket?.lost());
    this.schedule.after(this.latency(), this.device, () => this.closeAtDevice());
  }

  /** Nothing arrives any more, and neither end learns of it. */
  silence(): void {
    this.isSilent = true;
  }

  private closeAtDevice(): void {
    if (this.isOver) return;
    this.end();
    this.onClosed();
  }

  private end(): void {
    this.isOver = true;
    for (const ended of this.ends) ended();
  }

  private deliver(where: 'atBroker' | 'atDevice', what: () => void): void {
    const machine = where === 'atBroker' ? this.broker : this.device;
    if (!machine || this.isSilent) return;
    const { nowMs } = this.schedule;
    const atMs = Math.max(nowMs + this.latency(), this.arrivesMs[where]);
    this.arrivesMs[where] = atMs;
    this.schedule.after(atMs - nowMs, machine, () => {
      if (!this.isSilent && !(this.isOver && where === 'atDevice')) what();
    });
  }

  private latency(): number {
    return this.slowness * (1 + this.random.exponential(LATENCY_MS));
  }
}

/** The broker’s end of a line. */
class Socket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  private readonly line: Line;

  constructor(line: Line) {
    super({ allowHalfOpen: false });
    this.line = line;
  }

  /** The other side is gone. */
  lost(): void {
    if (!this.destroyed) this.push(null);
    this.destroy();
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.line.answer(bytes);
    done();
  }

  override _final(done: () => void): void {
    this.line.closeFromBroker();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.line.closeFromBroker();
    done(error);
  }
}
