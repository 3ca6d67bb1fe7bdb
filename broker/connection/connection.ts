import type { Elector } from '../../core/voting/poll/electorate.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Gate } from './gate.ts';

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

  constructor(gate: Gate) {
    this.gate = gate;
  }

  get isClosed(): boolean {
    return this.gate.destroyed;
  }
}
