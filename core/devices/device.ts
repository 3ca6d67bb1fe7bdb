/** A registered voting terminal. Its secret is kept as a hash only. */
export interface Device {
  readonly device: string;
  /** What people call it: "seat 14", "red clicker". */
  readonly label?: string | undefined;
  /** An id that many devices share, for whoever looks after them. */
  readonly group?: string | undefined;
  readonly salt: string;
  readonly hash: string;
  readonly createdAtMs: number;
}

/** The last status a device published, as it came, and when. */
export interface DeviceStatus {
  readonly status: unknown;
  readonly atMs: number;
}
