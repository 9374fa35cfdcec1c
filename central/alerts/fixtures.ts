/** For the tests of this folder: news, threads and a target, with what a test does not care about filled in. */
import type { IncidentNews } from '../store/incident-news.ts';
import type { Listener } from './due.ts';
import type { Thread } from './thread.ts';
import { type Condition, takeConditions, takeIncident } from './threads.ts';

export const T0 = Date.UTC(2026, 2, 2, 12);
export const HOLD_MS = 120_000;
const EPOCH = 'a'.repeat(32);

export function someNews(over: Partial<IncidentNews> = {}): IncidentNews {
  const about = { agent: 'pump-7', epoch: EPOCH, seq: 5, revision: 1, state: 'open', severity: 'warning' } as const;
  const times = { openedMs: T0, updatedMs: T0, closedMs: null };
  const words = { title: 'disk sda 41 ms, expected 1–2 ms', texts: ['disk sda 41 ms'], changes: [], series: 1 };
  return { ...about, ...times, ...words, wakes: true, reason: null, ...over };
}

export function someListener(over: Partial<Listener> = {}): Listener {
  return { name: 'ops', minimalSeverity: 'warning', sinceMs: 0, holdMs: HOLD_MS, ...over };
}

export function someCondition(over: Partial<Condition> = {}): Condition {
  const about = { base: 'silent:pump-7', kind: 'silent', agent: 'pump-7', site: 'north', severity: 'warning' } as const;
  return { ...about, title: 'not heard of', subject: 'overdue', lines: [], series: 1, sinceMs: T0, ...over };
}

/** Threads as the notifier keeps them, at a time that the test moves. */
export class World {
  readonly threads = new Map<string, Thread>();
  nowMs = T0;

  news(over: Partial<IncidentNews> = {}): Thread | null {
    const at = { nowMs: this.nowMs, holdMs: HOLD_MS };
    return this.put(takeIncident(this.threads, someNews({ updatedMs: this.nowMs, ...over }), 'north', at));
  }

  conditions(...conditions: Condition[]): Thread[] {
    const changed = takeConditions(this.threads, conditions, { nowMs: this.nowMs, holdMs: HOLD_MS });
    for (const thread of changed) this.put(thread);
    return changed;
  }

  put<T extends Thread | null>(thread: T): T {
    if (thread !== null) this.threads.set(thread.key, thread);
    return thread;
  }
}
