/** What pages, metrics and the API see of the notifier. Types alone, and of nothing that only a server has. */

export interface TargetState {
  /** When it was first configured: what was over by then is not told to it. */
  readonly sinceMs: number;
  readonly lastSuccessMs: number | null;
  readonly lastErrorMs: number | null;
  readonly lastError: string | null;
  /** In a row. */
  readonly failures: number;
  readonly sent: number;
  readonly failed: number;
  /** Given up, ever; and since the last message that was delivered. */
  readonly dropped: number;
  readonly untoldDrops: number;
}

export interface LogEntry {
  readonly atMs: number;
  readonly target: string;
  readonly what: string;
  readonly subject: string;
  readonly agent: string | null;
  readonly result: 'sent' | 'failed' | 'given up';
  /** What the receiver said, or what went wrong. */
  readonly answer: string;
}

export interface HeartbeatState {
  readonly where: string;
  readonly intervalMs: number;
  readonly lastSuccessMs: number | null;
  readonly lastErrorMs: number | null;
  /** Why the last one was not sent, or not taken; null after a success. */
  readonly problem: string | null;
}

/** What is expected of a machine, and why. */
export interface Expectation {
  /** Null: it is never overdue. */
  readonly overdueAfterMs: number | null;
  /** How often it usually calls; null where it is as good as always connected. */
  readonly usualMs: number | null;
  readonly why: 'configured' | 'learned' | 'always' | 'by hand' | 'never';
}

export interface Contact extends Expectation {
  readonly agent: string;
  readonly name: string;
  readonly site: string;
  readonly lastSeenMs: number;
  readonly connected: boolean;
  /** How long it has been overdue; null where it is not. */
  readonly overdueMs: number | null;
}

export interface TargetView extends Omit<TargetState, 'sinceMs' | 'untoldDrops'> {
  readonly name: string;
  readonly kind: 'webhook' | 'email';
  /** Where it goes; nothing of it is secret. */
  readonly where: string;
  /** Troubles that it is still to be told of, also those that are held back. */
  readonly waiting: number;
  readonly waitingSinceMs: number | null;
  /** After a failure; null where it is not paused. */
  readonly nextTryMs: number | null;
}

export interface AlertsView {
  readonly targets: readonly TargetView[];
  readonly heartbeat: HeartbeatState | null;
  /** Why the central cannot do its work; null: it does. */
  readonly problem: string | null;
  /** The newest first. */
  readonly log: readonly LogEntry[];
  /** Machines that were ever heard of, and what is expected of them. */
  readonly contacts: readonly Contact[];
}

export interface Alerts {
  view(): AlertsView;
  /** Sends a test; resolves with what the receiver said, null where there is no such target; throws what went wrong. */
  test(name: string): Promise<string | null>;
}
