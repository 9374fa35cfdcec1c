/**
 * The detectors that speak when something has lasted, beside the one that judges values (`surprise`). A new one is one
 * line here, and one in `shared/detect/registry.ts`.
 *
 * Each learns from every sample that it is shown. It is scored with each sample, or (cheaper, for what takes long to
 * show) once a minute of monotonic time; what it finds is told again every 30 s at most, until it finds it no longer.
 */
import { isAnalogue, mayFreeze } from '../../shared/detect/measured.ts';
import type { Severity } from '../../shared/findings.ts';
import type { SeriesDefinition } from '../../shared/series.ts';

export interface LastingKind {
  /** As in the registry of detectors. */
  readonly name: string;
  readonly cadence: 'sample' | 'minute';
  /** Series that it is for; without it, all. */
  readonly takes?: (definition: SeriesDefinition) => boolean;
  /** It is shown what did not come, or came in bad quality, as well (as NaN). */
  readonly unseen?: true;
  /** It is shown the share of a resource that is in use, whichever way round the series has it. */
  readonly share?: true;
  /** Since when it is so: the last change of the value, the last good value, or when it first gave bits. */
  readonly since: 'change' | 'good' | 'bits';
  /** Expected range beside it: none, the detector's own, or that of the values before they left it. */
  readonly range: 'none' | 'own' | 'values';
  /** While it lasts, what is merely unusual in other series is told too. */
  readonly goingOn?: true;
  /** It is a matter of chance: its bits are held against the bar that the budget sets, not against its own. */
  readonly budgeted?: true;
  /** How grave it is, where that is known and need not be judged by rarity. */
  readonly severity?: Severity;
}

export const lastingKinds: readonly LastingKind[] = [
  { name: 'stuck', cadence: 'sample', takes: mayFreeze, since: 'change', range: 'none' },
  { name: 'missing', cadence: 'sample', unseen: true, since: 'good', range: 'none' },
  {
    name: 'saturated',
    cadence: 'sample',
    takes: ({ full }) => full !== undefined,
    share: true,
    since: 'bits',
    range: 'values',
    goingOn: true,
  },
  { name: 'drift', budgeted: true, cadence: 'sample', since: 'bits', range: 'own', goingOn: true },
  {
    name: 'quantised',
    cadence: 'minute',
    takes: isAnalogue,
    since: 'bits',
    range: 'none',
    severity: 'info',
  },
  {
    name: 'noisy',
    cadence: 'minute',
    takes: isAnalogue,
    since: 'bits',
    range: 'own',
    severity: 'info',
  },
];

/** Places of those whose bits are held against the bar that the budget sets. */
export const budgetedKinds = lastingKinds.flatMap(({ budgeted }, k) => (budgeted === true ? [k] : []));

/** What is asked of a kind at each sample, all in objects of one shape: of many shapes the looking up would cost more. */
export interface JudgedKind {
  readonly unseen: boolean;
  readonly share: boolean;
  /** It is scored with each sample. */
  readonly always: boolean;
  readonly of: LastingKind;
}

export const judgedKinds: readonly JudgedKind[] = lastingKinds.map((of) => ({
  unseen: of.unseen === true,
  share: of.share === true,
  always: of.cadence === 'sample',
  of,
}));
