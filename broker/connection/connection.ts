import type { Elector } from '../../core/voting/poll/electorate.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Gate } from './gate.ts';
import type { Departure, Refusal } from './reasons.ts';

/** Everything the broker knows about one connection, from its first byte to its last. */
export class Connection {
  readonly gate: Gate;
  /** Sends acknowledgements in the order in which packets arrived. */
  readonly acknowledgements = new Acknowledgements();
  /** Topic filters the client was granted. */
  readonly granted = new Set<string>();
  /** The topic of the will that came with CONNECT. */
  will: string | undefined;
  /** The connection’s number, which is higher than that of every earlier connection; see `VoteLog.nextConnection`. */
  number: number | undefined;
  /** Who votes over this connection; undefined until the device is admitted. */
  elector: Elector | undefined;
  /** The client id that came with CONNECT, valid or not. */
  clientId: string | undefined;
  /** True once CONNECT has been accepted. */
  isReady = false;
  /** Why the client is not let in. */
  refusal: Refusal | undefined;
  /** Why the connection ends; set by whoever ends it. */
  departure: Departure | undefined;
  /** The reason in words, for the log. */
  detail: string | undefined;

  constructor(gate: Gate) {
    this.gate = gate;
  }

  /** Notes why the connection ends, or why it is refused. The first reason counts. */
  because(departure: Departure, refusal?: Refusal, detail?: string): void {
    if (this.departure || this.refusal) return;
    this.departure = departure;
    this.refusal = refusal;
    this.detail = detail;
  }

  get isClosed(): boolean {
    return this.gate.destroyed;
  }
}
