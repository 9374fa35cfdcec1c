/**
 * What a running agent says of itself: `status.json` in the data directory, replaced while it runs: within ten seconds
 * when something has happened, every thirty seconds when only numbers moved, as each costs a flash write.
 * `run` writes it, `status` reads it; the agent fills in the report.
 */
import { join } from 'node:path';
import { PicketError } from '../shared/errors.ts';
import type { Mute } from '../shared/mute.ts';
import type { ReportedConfiguration } from '../shared/trust/messages.ts';
import { readBounded, writeAtomically } from './state/files.ts';

/** Times are `monotonicMs` of the boot that the status names. */
export interface AgentReport {
  /** Null while it is not enrolled. */
  readonly agent: string | null;
  readonly connection: {
    readonly state: 'connected' | 'connecting' | 'not enrolled';
    readonly broker: string | null;
    readonly sinceMonotonicMs: number | null;
    readonly lastAckMonotonicMs: number | null;
    readonly problem: string | null;
  };
  readonly outbox: {
    readonly pendingRecords: number;
    readonly pendingBytes: number;
    readonly diskBytes: number;
    readonly limitBytes: number;
    readonly gapRecords: number;
    readonly lostRecords: number;
    /** How the disk fails; null while it works. */
    readonly failing: string | null;
  };
  readonly incidents: readonly {
    readonly severity: string;
    readonly title: string;
    readonly openedMs: number;
    /** Whether somebody may be woken for it; not said by older agents. */
    readonly wakes?: boolean;
  }[];
  /** What was spent of the budgets, by the names of `AgentBudget.figures`; not said by older agents. */
  readonly budget?: Readonly<Record<string, number>>;
  /** What wakes nobody for a while; not said by a version that could not. */
  readonly mutes?: readonly Mute[];
  readonly models: readonly { readonly slot: string; readonly release: string; readonly appliedMs: number }[];
  readonly inputs: readonly {
    readonly label: string;
    readonly series: number;
    readonly failures: number;
    /** Of the last read that failed, while none has worked since. */
    readonly failing: string | null;
  }[];
  readonly series: number;
  readonly warnings: readonly string[];
  /** What the central configured; not said by a version that could not. */
  readonly configuration?: ReportedConfiguration;
}

export interface AgentStatus extends AgentReport {
  readonly status: 1;
  readonly version: string;
  readonly pid: number;
  readonly boot: string;
  readonly startedMonotonicMs: number;
  readonly updatedMonotonicMs: number;
  readonly memory: { readonly rssBytes: number; readonly heapBytes: number };
}

/** How often it is looked whether there is something new to say. */
export const statusLookMs = 10_000;
/** How old it gets at most while the agent runs. */
export const statusIntervalMs = 30_000;

/** The same text while nothing has happened: all but the numbers that always move. */
export function gistOf(report: AgentReport): string {
  const { connection, outbox, incidents, mutes, models, inputs, warnings, configuration } = report;
  const failing = inputs.map((input) => input.failing);
  return JSON.stringify([
    connection.state,
    connection.problem,
    outbox.failing,
    incidents,
    mutes,
    models,
    failing,
    warnings,
    configuration,
  ]);
}
/** 2,000 inputs with long errors fit. */
const maxStatusBytes = 1024 * 1024;

export function statusPath(dataDir: string): string {
  return join(dataDir, 'status.json');
}

/** Not synced: it is worth nothing after a power cut. */
export async function writeStatus(dataDir: string, status: AgentStatus): Promise<void> {
  await writeAtomically(statusPath(dataDir), `${JSON.stringify(status)}\n`, { mode: 0o644, durable: false });
}

/** Null where no agent has run with this directory; throws `payload.invalid` where the file is no status. */
export async function readStatus(dataDir: string): Promise<AgentStatus | null> {
  const path = statusPath(dataDir);
  const text = await readBounded(path, maxStatusBytes);
  if (text === null) return null;
  try {
    const json = JSON.parse(text) as AgentStatus;
    const lists = [json.incidents, json.models, json.inputs, json.warnings];
    const numbers = [
      json.pid,
      json.updatedMonotonicMs,
      json.startedMonotonicMs,
      json.series,
      json.outbox.pendingRecords,
    ];
    if (
      json.status === 1 &&
      lists.every(Array.isArray) &&
      numbers.every(Number.isFinite) &&
      typeof json.boot === 'string'
    ) {
      return json;
    }
  } catch {
    // Said below.
  }
  throw new PicketError('payload.invalid', `${path} is not the status of a Picket agent of this version.`);
}
