/**
 * What the fleet's incidents paid of the budget of notifications, or would have paid: by agent, over the last weeks.
 *
 * Bounds: `KEPT` incidents; the oldest goes.
 */
import type { Notice } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { AgentId } from '../store/store.ts';

const KEPT = 5_000;
const WEEK_MS = 7 * DAY_MS;
/** A need of this long ago counts half. */
const HALF_MS = WEEK_MS;
/** And of this long ago no more. */
export const REMEMBERED_MS = 4 * WEEK_MS;

interface Kept {
  readonly agent: AgentId;
  readonly ms: number;
  readonly paid: boolean;
}

/** Of one week, in notifications. */
export interface Spent {
  readonly paid: number;
  readonly refused: number;
}

/** What is asked of an incident. */
export interface NoticedIncident {
  readonly agent: AgentId;
  readonly epoch: string;
  readonly seq: number;
  readonly openedMs: number;
  readonly notify?: Notice;
}

export class Needs {
  readonly #kept = new Map<string, Kept>();

  /** Takes in a revision; answers whether it changed what is needed. */
  take({ agent, epoch, seq, openedMs, notify }: NoticedIncident): boolean {
    if (notify === undefined) return false;
    const paid = notify.cost > 0;
    if (!paid && notify.reason !== 'spent') return false;
    const key = `${agent}/${epoch}/${seq}`;
    if (this.#kept.get(key)?.paid === paid) return false;
    this.#kept.delete(key);
    this.#kept.set(key, { agent, ms: openedMs, paid });
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return true;
  }

  /** How much each agent needs; those that need nothing are not in it. */
  needs(nowMs: number): Map<AgentId, number> {
    const needs = new Map<AgentId, number>();
    for (const [key, { agent, ms }] of this.#kept) {
      const age = Math.max(0, nowMs - ms);
      if (age > REMEMBERED_MS) this.#kept.delete(key);
      else needs.set(agent, (needs.get(agent) ?? 0) + 0.5 ** (age / HALF_MS));
    }
    return needs;
  }

  /** Of the last seven days: of one agent, or of all. */
  lastWeek(nowMs: number, agent?: AgentId): Spent {
    let paid = 0;
    let refused = 0;
    for (const kept of this.#kept.values()) {
      if (nowMs - kept.ms > WEEK_MS || (agent !== undefined && kept.agent !== agent)) continue;
      if (kept.paid) paid++;
      else refused++;
    }
    return { paid, refused };
  }
}
