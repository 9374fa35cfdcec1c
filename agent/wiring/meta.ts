/** What must survive with the records: the belief in a central, the latest time ever heard from one, the open incidents. */

import type { Incident } from '../../shared/findings.ts';
import { readIncident } from '../../shared/incident-json.ts';
import { limits } from '../../shared/limits.ts';
import { parseJson } from '../../shared/trust/strict.ts';
import type { Outbox } from '../outbox/outbox.ts';

const INCARNATION = 'incarnation';
const CENTRAL_MS = 'central-ms';
const INCIDENT = 'incident';
const UPLINK = 'uplink';
const BUDGET = 'budget';
/** Open incidents that are kept. */
const MOST_INCIDENTS = 16;
const RULES = 'rules';
const MUTES = 'mutes';
/** The latest central time is written this often; a power cut sets it back by as much at most. */
const CENTRAL_MS_STEP = 600_000;

export interface Remembered {
  readonly incarnation: string | null;
  readonly latestCentralMs: number | null;
  readonly incidents: readonly Incident[];
}

/** What the budget of the uplink has counted; null before the first time. */
export function rememberUplink(outbox: Outbox): Promise<Uint8Array | null> {
  return outbox.getMeta(UPLINK).catch(() => null);
}

/** What was spent of the budgets; null before the first time. */
export function rememberBudget(outbox: Outbox): Promise<Uint8Array | null> {
  return outbox.getMeta(BUDGET).catch(() => null);
}

/** What was muted; null before the first time. */
export function rememberMutes(outbox: Outbox): Promise<Uint8Array | null> {
  return outbox.getMeta(MUTES).catch(() => null);
}

/** What rules fired; null before the first time. */
export function rememberRules(outbox: Outbox): Promise<Uint8Array | null> {
  return outbox.getMeta(RULES).catch(() => null);
}

export async function remember(outbox: Outbox): Promise<Remembered> {
  const [incarnation, centralMs, incident] = await Promise.all(
    [INCARNATION, CENTRAL_MS, INCIDENT].map(async (key) => {
      const bytes = await outbox.getMeta(key).catch(() => null);
      return bytes === null ? null : new TextDecoder().decode(bytes);
    }),
  );
  return {
    incarnation: /^[0-9a-f]{32}$/.test(incarnation ?? '') ? incarnation! : null,
    latestCentralMs: Number.isSafeInteger(Number(centralMs ?? '')) && centralMs ? Number(centralMs) : null,
    incidents: incident ? readSaved(incident) : [],
  };
}

/** A list; one alone is of an agent that had no more than one. What cannot be read of it is left out. */
function readSaved(text: string): Incident[] {
  let json: unknown;
  try {
    json = parseJson(new TextEncoder().encode(text), MOST_INCIDENTS * limits.recordBytes, 'incidents');
  } catch {
    return [];
  }
  return (Array.isArray(json) ? json : [json]).slice(0, MOST_INCIDENTS).flatMap((each) => {
    try {
      const incident = readIncident(each, '', 0);
      return incident.state === 'open' && incident.seq > 0 ? [incident] : [];
    } catch {
      return [];
    }
  });
}

export class Keeper {
  readonly #outbox: Outbox;
  readonly #failed: (error: unknown) => void;
  readonly #open = new Map<string, Incident>();
  #keptCentralMs = 0;

  constructor(outbox: Outbox, failed: (error: unknown) => void) {
    this.#outbox = outbox;
    this.#failed = failed;
  }

  incarnation(incarnation: string): void {
    this.#keep(INCARNATION, incarnation);
  }

  centralMs(latestMs: number | null): void {
    if (latestMs === null || latestMs - this.#keptCentralMs < CENTRAL_MS_STEP) return;
    this.#keptCentralMs = latestMs;
    this.#keep(CENTRAL_MS, String(latestMs));
  }

  incident(incident: Incident): void {
    const key = `${incident.epoch}/${incident.seq}`;
    const turned = incident.state === 'closed' || !this.#open.has(key);
    if (incident.state === 'closed') this.#open.delete(key);
    else if (this.#open.size < MOST_INCIDENTS || this.#open.has(key)) this.#open.set(key, incident);
    this.#keep(INCIDENT, this.#open.size === 0 ? '' : JSON.stringify([...this.#open.values()]));
    // Its record is durable already: an end of the agent between the two would tell it twice.
    if (turned) this.#outbox.flush().catch(this.#failed);
  }

  uplink(counted: Uint8Array): void {
    this.#outbox.setMeta(UPLINK, counted).catch(this.#failed);
  }

  budget(state: Uint8Array): void {
    this.#outbox.setMeta(BUDGET, state).catch(this.#failed);
  }

  mutes(saved: Uint8Array): void {
    this.#outbox.setMeta(MUTES, saved).catch(this.#failed);
    // Somebody was told that it is so.
    this.#outbox.flush().catch(this.#failed);
  }

  rules(saved: Uint8Array): void {
    this.#outbox.setMeta(RULES, saved).catch(this.#failed);
  }

  #keep(key: string, text: string): void {
    this.#outbox.setMeta(key, new TextEncoder().encode(text)).catch(this.#failed);
  }
}
