/**
 * What a false alarm teaches: at the time of the day at which it came, on that side, the scale is so much larger that
 * the same again lies within the expected band. It is learned from the windows that the operator called usual, and from
 * false alarms of other machines of the cohort, so that they have it before it comes to them.
 */
import {
  ALLOWANCE_STEPS,
  type Allowance,
  MOST_ALLOWANCES,
  TOGETHER_BITS,
  WIDEST,
} from '../../shared/detect/allowance.ts';
import { isWeekend, localMs, timeOfDayMs } from '../../shared/detect/civil.ts';
import { residualAt, type SeasonalParams } from '../../shared/detect/seasonal.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { UsualElsewhere, UsualTogether } from './trainer.ts';

/** Nothing comes at the very minute again, nor at the very size. */
const AROUND_MS = 30 * MINUTE_MS;
const MARGIN = 1.1;
/** Times of the day, apart from each other, from which on it may come at any time. */
const ANY_TIME = 3;
/** Windows further apart than this are two false alarms. */
const APART_WINDOWS = 3;

interface Taught {
  /** Of windows: the first one's middle and the last one's. */
  readonly endsMs: ArrayLike<number>;
  readonly residuals: ArrayLike<number>;
  readonly usual: ArrayLike<number>;
  readonly elsewhere?: readonly UsualElsewhere[] | undefined;
}

/** One false alarm: when, and how many times as large the scale had to be. */
interface Alarm {
  readonly fromMs: number;
  toMs: number;
  upper: number;
  lower: number;
}

/** The model, with the times at which more is usual as they are known now; those that it knew of before are dropped. */
export function taught(
  { allowances: _, together: __, ...params }: SeasonalParams,
  windows: Taught & { readonly together?: readonly UsualTogether[] | undefined },
): SeasonalParams {
  const allowances = fitAllowances(params, windows);
  const together = fitTogether(params, windows.together ?? []);
  return {
    ...params,
    ...(allowances.length > 0 && { allowances }),
    ...(together.length > 0 && { together }),
  };
}

export function fitAllowances(params: SeasonalParams, taught: Taught): Allowance[] {
  return allowancesOf(params, [...ownAlarms(params, taught), ...(taught.elsewhere ?? []).map(ofElsewhere)]);
}

/** The same for what was usual of groups. */
export function fitTogether(params: Pick<SeasonalParams, 'zone'>, together: readonly UsualTogether[]): Allowance[] {
  return allowancesOf(
    params,
    together.map(({ fromMs, toMs, bits }) => ({ fromMs, toMs, upper: enough(bits / TOGETHER_BITS), lower: 1 })),
  );
}

function allowancesOf(params: Pick<SeasonalParams, 'zone'>, all: readonly Alarm[]): Allowance[] {
  const alarms = all.filter(({ upper, lower }) => upper > 1 || lower > 1);
  let allowances: Allowance[] = [];
  for (const alarm of alarms) allowances = joined(allowances, allowanceOf(params, alarm));
  if (allowances.length < ANY_TIME) return allowances;
  // It keeps to no time of the day; nor are there so many that each could have its own.
  const [upper, lower] = (['upper', 'lower'] as const).map((side) => sideAtAnyTime(allowances, side));
  const anyTime = { from: 0, steps: ALLOWANCE_STEPS, days: 0, upper: upper!, lower: lower! };
  const beyond = allowances.filter((one) => one.upper > anyTime.upper || one.lower > anyTime.lower);
  const most = anyTime.upper > 1 || anyTime.lower > 1 ? MOST_ALLOWANCES - 1 : MOST_ALLOWANCES;
  const sharpest = beyond.sort((a, b) => b.upper + b.lower - a.upper - a.lower).slice(0, most);
  return most < MOST_ALLOWANCES ? [anyTime, ...sharpest] : sharpest;
}

/** What the third largest of the times needs: so many times apart, and it may come at any. */
function sideAtAnyTime(allowances: readonly Allowance[], side: 'upper' | 'lower'): number {
  return allowances.map((one) => one[side]).sort((a, b) => b - a)[ANY_TIME - 1] ?? 1;
}

function ownAlarms(params: SeasonalParams, { endsMs, residuals, usual }: Taught): Alarm[] {
  const out: Alarm[] = [];
  const above = params.scale * residualAt(params.upper, params.bandBits);
  const below = params.scale * residualAt(params.lower, params.bandBits);
  for (let i = 0; i < endsMs.length; i++) {
    if (usual[i] !== 1) continue;
    const middleMs = endsMs[i]! - params.windowMs / 2;
    let last = out.at(-1);
    if (last === undefined || middleMs - last.toMs > APART_WINDOWS * params.windowMs) {
      last = { fromMs: middleMs, toMs: middleMs, upper: 1, lower: 1 };
      out.push(last);
    }
    last.toMs = middleMs;
    last.upper = Math.max(last.upper, enough(residuals[i]! / above));
    last.lower = Math.max(last.lower, enough(-residuals[i]! / below));
  }
  return out;
}

function ofElsewhere({ fromMs, toMs, side, times }: UsualElsewhere): Alarm {
  return { fromMs, toMs, upper: side === 'high' ? enough(times) : 1, lower: side === 'low' ? enough(times) : 1 };
}

function enough(times: number): number {
  return times > 1 ? Math.min(WIDEST, MARGIN * times) : 1;
}

function allowanceOf({ zone }: Pick<SeasonalParams, 'zone'>, { fromMs, toMs, upper, lower }: Alarm): Allowance {
  const stepMs = DAY_MS / ALLOWANCE_STEPS;
  const start = localMs(zone, fromMs - AROUND_MS);
  const end = localMs(zone, toMs + AROUND_MS);
  const from = Math.floor(timeOfDayMs(start) / stepMs);
  const steps = Math.min(
    ALLOWANCE_STEPS,
    Math.max(1, Math.ceil((end - (start - (timeOfDayMs(start) % stepMs))) / stepMs)),
  );
  // Over midnight from a weekday into a weekend it is of both.
  const days = isWeekend(start) === isWeekend(end) && end - start < DAY_MS ? (isWeekend(start) ? 2 : 1) : 0;
  return { from, steps, days, upper, lower };
}

/** Those that meet become one. */
function joined(allowances: readonly Allowance[], added: Allowance): Allowance[] {
  const i = allowances.findIndex((one) => meet(one, added));
  if (i < 0) return [...allowances, added];
  const rest = allowances.filter((_, at) => at !== i);
  return joined(rest, unionOf(allowances[i]!, added));
}

function meet(a: Allowance, b: Allowance): boolean {
  const gap = (b.from - a.from + ALLOWANCE_STEPS) % ALLOWANCE_STEPS;
  return gap <= a.steps || ALLOWANCE_STEPS - gap <= b.steps;
}

function unionOf(a: Allowance, b: Allowance): Allowance {
  const gap = (b.from - a.from + ALLOWANCE_STEPS) % ALLOWANCE_STEPS;
  const [first, second, between] = gap <= a.steps ? [a, b, gap] : [b, a, ALLOWANCE_STEPS - gap];
  const steps = Math.min(ALLOWANCE_STEPS, Math.max(first.steps, between + second.steps));
  const days = a.days === b.days ? a.days : 0;
  return { from: first.from, steps, days, upper: Math.max(a.upper, b.upper), lower: Math.max(a.lower, b.lower) };
}
