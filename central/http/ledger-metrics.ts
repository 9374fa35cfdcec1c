/** The ledger and the coverage of time as metrics. */
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { AgentId, CoverageDay } from '../store/store.ts';
import type { RouteContext } from './context.ts';
import { labelsOf, type MetricsPage } from './prometheus.ts';

/** Coverage is read from the history: not more often than this for one agent, however often it is scraped. */
const COVERAGE_MS = 5 * MINUTE_MS;

export class LedgerMetrics {
  readonly #context: RouteContext;
  readonly #coverage = new Map<AgentId, { readonly atMs: number; readonly days: readonly CoverageDay[] }>();

  constructor(context: RouteContext) {
    this.#context = context;
  }

  async addTo(page: MetricsPage): Promise<void> {
    const { fleet, store } = this.#context.services;
    const agents = fleet.agents().filter(({ retiredMs }) => retiredMs === null);
    for (const { id, flags } of agents) {
      const totals = await store.ledgerTotals(id);
      const label = (more: Readonly<Record<string, string>>): string => labelsOf({}, { agent: id, ...more });
      const records = 'Records that the agent made, by what became of them';
      for (const state of ['committed', 'pending', 'quarantined', 'lost'] as const) {
        page.add('gauge', 'picket_ledger_records', records, label({ state }), totals[state]);
      }
      for (const [cause, count] of Object.entries(totals.lostByCause)) {
        page.add('gauge', 'picket_ledger_lost_records', 'Lost records by cause', label({ cause }), count);
      }
      const duplicates = 'Records that came again and were dropped';
      page.add('counter', 'picket_ledger_duplicates_total', duplicates, label({}), totals.duplicates);
      for (const { kind } of flags) {
        page.add('gauge', 'picket_agent_flags', 'Flags of an identity that nobody dismissed', label({ kind }), 1);
      }
      const sum = { covered: 0, pending: 0, missing: 0 };
      const byCause: Record<string, number> = {};
      for (const { covered, pending, missing, missingByCause } of await this.#lastDay(id)) {
        sum.covered += covered;
        sum.pending += pending;
        sum.missing += missing;
        for (const [cause, minutes] of Object.entries(missingByCause)) byCause[cause] = (byCause[cause] ?? 0) + minutes;
      }
      const minutesHelp = 'Minutes of the last 24 hours, by whether summaries cover them';
      for (const [state, minutes] of Object.entries(sum)) {
        page.add('gauge', 'picket_coverage_minutes', minutesHelp, label({ state }), minutes);
      }
      for (const [cause, minutes] of Object.entries(byCause)) {
        const help = 'Missing minutes of the last 24 hours by cause';
        page.add('gauge', 'picket_coverage_missing_minutes', help, label({ cause }), minutes);
      }
    }
    for (const id of this.#coverage.keys()) if (!agents.some((agent) => agent.id === id)) this.#coverage.delete(id);
  }

  async #lastDay(agent: AgentId): Promise<readonly CoverageDay[]> {
    const { store, nowMs } = this.#context.services;
    const atMs = nowMs();
    const known = this.#coverage.get(agent);
    if (known !== undefined && Math.abs(atMs - known.atMs) < COVERAGE_MS) return known.days;
    const days = await store.coverage(agent, { fromMs: atMs - DAY_MS, toMs: atMs });
    this.#coverage.set(agent, { atMs, days });
    return days;
  }
}
