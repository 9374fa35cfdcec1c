/**
 * Times of planned work, of a machine, a site or the fleet. Entered before or afterwards, ended early, never deleted
 * while the data of their time may still be learned from.
 */
import { randomUUID } from 'node:crypto';
import { PicketError } from '../../shared/errors.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import { listAll } from '../manifests.ts';
import type { AgentId, Documents, TimeRange } from '../store/store.ts';
import type { MaintenancePlan, MaintenanceWindow } from './api.ts';

const WINDOWS = 'maintenance';
const LONGEST_MS = 90 * DAY_MS;
/** How far ahead work is planned. */
const FURTHEST_MS = 366 * DAY_MS;
/** After their end they are kept as long: longer than any history that is learned from. */
const KEPT_MS = 400 * DAY_MS;
const MOST_WINDOWS = 2_000;
/** One that begins now was not entered afterwards. */
const NOW_MS = MINUTE_MS;

export interface MaintenanceOptions {
  readonly documents: Documents;
  /** Site of a machine; the empty text where it has none. */
  readonly siteOf: (agent: AgentId) => string;
  readonly nowMs: () => number;
}

export class Maintenance implements MaintenancePlan {
  readonly #options: MaintenanceOptions;
  readonly #windows = new Map<string, MaintenanceWindow>();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for await (const { key, value } of listAll<MaintenanceWindow>(this.#options.documents, WINDOWS)) {
      this.#windows.set(key, value);
    }
  }

  list(): readonly MaintenanceWindow[] {
    return [...this.#windows.values()].sort((a, b) => b.fromMs - a.fromMs || (a.id < b.id ? -1 : 1));
  }

  async plan({
    agent,
    site,
    fromMs,
    toMs,
    reason,
    by,
  }: Pick<MaintenanceWindow, 'agent' | 'site' | 'fromMs' | 'toMs' | 'reason' | 'by'>): Promise<MaintenanceWindow> {
    const nowMs = Math.round(this.#options.nowMs());
    if (agent !== null && site !== null) {
      throw new PicketError('usage.invalid', 'name an agent or a site, not both; neither means the whole fleet.');
    }
    if (!(toMs > fromMs)) throw new PicketError('usage.invalid', 'maintenance must end after it begins.');
    if (toMs - fromMs > LONGEST_MS) {
      throw new PicketError('usage.invalid', `maintenance of more than ${LONGEST_MS / DAY_MS} days is none.`);
    }
    if (toMs > nowMs + FURTHEST_MS) throw new PicketError('usage.invalid', 'maintenance ends within a year from now.');
    if (toMs < nowMs - KEPT_MS) throw new PicketError('usage.invalid', 'that time is over for more than a year.');
    const old = this.list().filter((window) => window.toMs < nowMs - KEPT_MS);
    if (this.#windows.size - old.length >= MOST_WINDOWS) {
      throw new PicketError('conflict', `there are ${MOST_WINDOWS} times of maintenance already.`);
    }
    const about = { agent, site, fromMs, toMs, reason, by };
    const afterwards = fromMs < nowMs - NOW_MS;
    const window: MaintenanceWindow = { id: randomUUID(), ...about, madeMs: nowMs, afterwards, endedMs: null };
    const forgotten = old.map(({ id }) => ({ namespace: WINDOWS, key: id, value: null }));
    await this.#options.documents.putAll([...forgotten, { namespace: WINDOWS, key: window.id, value: window }]);
    for (const { id } of old) this.#windows.delete(id);
    this.#windows.set(window.id, window);
    return window;
  }

  async end(id: string): Promise<MaintenanceWindow> {
    const window = this.#windows.get(id);
    if (window === undefined) throw new PicketError('not_found', `there is no maintenance ${id}.`);
    const nowMs = Math.round(this.#options.nowMs());
    if (window.toMs <= nowMs || window.endedMs !== null) throw new PicketError('conflict', 'it is over already.');
    const ended: MaintenanceWindow = { ...window, toMs: Math.max(window.fromMs, nowMs), endedMs: nowMs };
    await this.#options.documents.put(WINDOWS, id, ended);
    this.#windows.set(id, ended);
    return ended;
  }

  during(agent: AgentId, range: TimeRange): MaintenanceWindow | null {
    return this.spans(agent, range)[0] ?? null;
  }

  spans(agent: AgentId, { fromMs, toMs }: TimeRange): readonly MaintenanceWindow[] {
    if (this.#windows.size === 0) return [];
    const site = this.#options.siteOf(agent);
    return this.list().filter(
      (window) =>
        // One that was called off before it began covers nothing.
        window.toMs > window.fromMs &&
        window.fromMs <= toMs &&
        window.toMs > fromMs &&
        (window.agent === null || window.agent === agent) &&
        (window.site === null || (site !== '' && window.site === site)),
    );
  }
}
