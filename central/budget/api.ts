/** What pages, metrics and the API see of the budgets. Types alone. */

export interface AgentBudgetState {
  readonly agent: string;
  /** The share that it was told last, in notifications a week; null before the first. */
  readonly notificationsPerWeek: number | null;
  /** The share that it goes by, as it reports; null where it does not say. */
  readonly appliedPerWeek: number | null;
  /** Notifications of the last seven days: paid, and refused because nothing was left. */
  readonly spentLastWeek: number;
  readonly refusedLastWeek: number;
  /** Incidents a day that it may show without waking anybody, and that it showed lately; null where it does not say. */
  readonly findingsPerDay: number | null;
  readonly findingsSpentPerDay: number | null;
  /** Bits from which on it calls something a finding. */
  readonly barBits: number | null;
}

export interface BudgetState {
  /** Of the whole fleet. */
  readonly notificationsPerWeek: number;
  readonly spentLastWeek: number;
  readonly refusedLastWeek: number;
  readonly agents: readonly AgentBudgetState[];
}
