/**
 * A rollout of new models over the machines of a cohort: a pure state machine, moved by what agents report and by time.
 *
 *   shadow ─► canary ─► all ─► done          shadow, canary, all, done ──► reverted
 *
 * In the shadow the new model runs beside the old one and raises nothing; in the canary it is in force on a share of the
 * machines; then on all. It goes on when a stage's time is over and something was heard, and is reverted as soon as a
 * bound is broken. What nothing is heard of is reverted at last: every rollout ends. A paused one does not move.
 */
import { DAY_MS } from '../../shared/limits.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { Rollout, RolloutFigures, RolloutMember } from '../api.ts';

/** A stage that nothing is heard in for so many times its length is ended. */
const PATIENCE = 7;
const LEAST_PATIENCE_MS = DAY_MS;
/** Findings a machine-day that a new model may have whatever the old one has: five times the budget of one a day. */
const FINDINGS_PER_DAY = 5;
/** ... and in all, by chance; and how many times those of the old one. */
const FINDINGS_MORE = 3;
const FINDINGS_TIMES = 3;
/** Share of the windows that the new one alone may call unusual, once there are enough of them. */
const ALONE_SHARE = 0.02;
const ALONE_WINDOWS = 100;
/** Time of the new one, for each window of a series, and in times of the old one. */
const COST_MS = 0.5;
const COST_TIMES = 10;
/** Of the machines that it reached, those that took it back, refused or dropped it. */
const LOST_SHARE = 0.1;
/** Of so many machines half are no accident. */
const ENOUGH_MACHINES = 4;

const emptyFigures: RolloutFigures = {
  windows: 0,
  agreed: 0,
  newFindings: 0,
  oldFindings: 0,
  newOutside: 0,
  oldOutside: 0,
  newMs: 0,
  oldMs: 0,
};

export type RolloutEvent =
  | { readonly type: 'joined'; readonly member: RolloutMember }
  /** What an agent says of both models; null: it runs the new one and cannot compare. */
  | { readonly type: 'compared'; readonly agent: string; readonly figures: RolloutFigures | null }
  /** The agent runs the new version. */
  | { readonly type: 'applied'; readonly agent: string }
  /** The agent took it back, refused or dropped it. */
  | { readonly type: 'lost'; readonly agent: string; readonly reason: string }
  /** It is no part of this any more: pinned, retired. */
  | { readonly type: 'left'; readonly agent: string; readonly reason: string }
  | { readonly type: 'tick' }
  | { readonly type: 'paused'; readonly by: string }
  | { readonly type: 'resumed'; readonly by: string }
  | { readonly type: 'promoted'; readonly by: string }
  | { readonly type: 'rolledBack'; readonly by: string };

/** The rollout after an event, and what is to be said of it where its stage changed; null: nothing changed. */
export function move(rollout: Rollout, event: RolloutEvent, nowMs: number): Rollout | null {
  const after = taken(rollout, event, nowMs);
  const now = after ?? rollout;
  if (now.pausedMs !== null || ended(now)) return after;
  // By hand it was said where it is to be; what is reported is judged with the next event.
  if (after !== null && after.stage !== rollout.stage) return after;
  return judged(now, nowMs) ?? after;
}

/** Whether the version is in force on the machine. */
export function runsNew({ stage, members }: Rollout, agent: string): boolean {
  const member = members[agent];
  if (member === undefined || member.out !== null) return false;
  return stage === 'all' || stage === 'done' || (stage === 'canary' && member.canary);
}

/** Whether it is to run beside the old one there. */
export function runsBeside(rollout: Rollout, agent: string): boolean {
  const { stage, members } = rollout;
  const member = members[agent];
  if (member === undefined || member.out !== null || !member.compares) return false;
  return (stage === 'shadow' || stage === 'canary') && !runsNew(rollout, agent);
}

export function ended({ stage }: Rollout): boolean {
  return stage === 'done' || stage === 'reverted';
}

/** Machines may join in the first half of the shadow: what they say comes soon enough to count. */
export function mayJoin({ stage, startedMs, times, pausedMs }: Rollout, nowMs: number): boolean {
  return stage === 'shadow' && pausedMs === null && nowMs - startedMs <= times.shadowMs / 2;
}

/** The first stage: who cannot run two models is tried in the canary at once. */
export function opened(rollout: Omit<Rollout, 'stage' | 'reason'>): Rollout {
  const stage = { ...rollout, stage: 'shadow' as const, reason: 'Better on held-out time: tried beside the old one.' };
  if (rollout.times.shadowMs === 0) return entered(stage, 'canary', 'No time of shadow is asked for.', rollout.sinceMs);
  if (Object.values(rollout.members).some(({ compares }) => compares)) return stage;
  return entered(stage, 'canary', 'No machine of it can run two models at once.', rollout.sinceMs);
}

function taken(rollout: Rollout, event: RolloutEvent, nowMs: number): Rollout | null {
  if (event.type === 'rolledBack') {
    if (rollout.stage === 'reverted') return null;
    return entered({ ...rollout, pausedMs: null }, 'reverted', `Rolled back by ${event.by}.`, nowMs);
  }
  if (ended(rollout)) return null;
  switch (event.type) {
    case 'tick':
      return null;
    case 'paused':
      if (rollout.pausedMs !== null) return null;
      return { ...rollout, pausedMs: nowMs, reason: `Paused by ${event.by}.` };
    case 'resumed':
      if (rollout.pausedMs === null) return null;
      return {
        ...rollout,
        pausedMs: null,
        // The time of a pause does not count.
        sinceMs: rollout.sinceMs + (nowMs - rollout.pausedMs),
        startedMs: rollout.startedMs + (nowMs - rollout.pausedMs),
        reason: `Resumed by ${event.by}.`,
      };
    case 'promoted': {
      const next = rollout.stage === 'shadow' ? 'canary' : rollout.stage === 'canary' ? 'all' : null;
      return rollout.pausedMs !== null || next === null
        ? null
        : entered(rollout, next, `Promoted by ${event.by}.`, nowMs);
    }
    case 'joined': {
      const { member } = event;
      if (!mayJoin(rollout, nowMs) || rollout.members[member.agent] !== undefined) return null;
      return { ...rollout, members: { ...rollout.members, [member.agent]: member } };
    }
    default: {
      const member = rollout.members[event.agent];
      if (member === undefined || member.out !== null) return null;
      const next = memberAfter(member, event);
      return next === null ? null : { ...rollout, members: { ...rollout.members, [event.agent]: next } };
    }
  }
}

function memberAfter(
  member: RolloutMember,
  event: Extract<RolloutEvent, { type: 'compared' | 'applied' | 'lost' | 'left' }>,
): RolloutMember | null {
  switch (event.type) {
    case 'compared':
      return JSON.stringify(member.figures) === JSON.stringify(event.figures)
        ? null
        : { ...member, figures: event.figures };
    case 'applied':
      return member.applied ? null : { ...member, applied: true };
    default:
      return { ...member, out: event.reason, lost: event.type === 'lost' };
  }
}

function judged(rollout: Rollout, nowMs: number): Rollout | null {
  const { stage, sinceMs, times } = rollout;
  const members = Object.values(rollout.members);
  const inside = members.filter(({ out }) => out === null);
  const wrong = brokenBound(rollout, nowMs);
  if (wrong !== null) return entered(rollout, 'reverted', wrong, nowMs);
  if (inside.length === 0) return entered(rollout, 'reverted', 'No machine is left in it.', nowMs);
  const lengthMs = stage === 'shadow' ? times.shadowMs : times.canaryMs;
  const passedMs = nowMs - sinceMs;
  const overMs = Math.max(LEAST_PATIENCE_MS, PATIENCE * lengthMs);
  if (stage === 'all') {
    if (inside.every(({ applied }) => applied)) return entered(rollout, 'done', 'All machines run it.', nowMs);
    if (passedMs < overMs) return null;
    return entered(rollout, 'done', 'The machines that do not run it yet get it when they are back.', nowMs);
  }
  if (passedMs < lengthMs) return null;
  const heard = stage === 'shadow' ? inside.some(hasWindows) : inside.some((one) => one.canary && one.applied);
  if (!heard) {
    if (passedMs < overMs) return null;
    return entered(rollout, 'reverted', `Nothing was heard of it in its ${stage}.`, nowMs);
  }
  const found = foundIn(rollout);
  if (stage === 'shadow') return entered(rollout, 'canary', `As good as the old one in the shadow: ${found}.`, nowMs);
  return entered(rollout, 'all', `As good as the old one in the canary: ${found}.`, nowMs);
}

const hasWindows = (member: RolloutMember): boolean => (member.figures?.windows ?? 0) > 0;

function entered(rollout: Rollout, stage: Rollout['stage'], reason: string, nowMs: number): Rollout {
  if (stage === 'canary' && rollout.times.canaryMs === 0) {
    return { ...rollout, stage: 'all', sinceMs: nowMs, reason: `${reason} No time of canary is asked for.` };
  }
  if (stage !== 'canary') return { ...rollout, stage, sinceMs: nowMs, reason };
  const chosen = canariesOf(rollout);
  const members = Object.fromEntries(
    Object.values(rollout.members).map((member) => {
      const canary = chosen.has(member.agent);
      // What was found in the shadow was found of the other way round.
      return [member.agent, canary ? { ...member, canary, figures: null } : member];
    }),
  );
  return { ...rollout, stage, sinceMs: nowMs, reason, members };
}

/** The share of the machines with the lowest hashes, one at least: the same ones while the cohort is the same. */
function canariesOf({ slot, members, times }: Rollout): Set<string> {
  const inside = Object.values(members).filter(({ out }) => out === null);
  const most = Math.max(1, Math.floor(inside.length * times.share));
  const hash = (agent: string): string => sha256Hex(Buffer.from(`${slot} ${agent}`));
  const sorted = inside.map(({ agent }) => ({ agent, hash: hash(agent) })).sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return new Set(sorted.slice(0, most).map(({ agent }) => agent));
}

/** Members that the new version reached in this stage. */
function reachedIn(rollout: Rollout): RolloutMember[] {
  return Object.values(rollout.members).filter(
    (member) => member.lost || (rollout.stage === 'canary' ? member.canary : true),
  );
}

/** What the machines found together, in this stage. */
function figuresOf(rollout: Rollout): RolloutFigures {
  const sum: { -readonly [K in keyof RolloutFigures]: number } = { ...emptyFigures };
  for (const { figures, out } of reachedIn(rollout)) {
    if (figures === null || out !== null) continue;
    for (const name of Object.keys(sum) as (keyof RolloutFigures)[]) sum[name] += figures[name];
  }
  return sum;
}

function foundIn(rollout: Rollout): string {
  const { windows, newFindings, oldFindings } = figuresOf(rollout);
  return `${newFindings} findings against ${oldFindings} in ${windows} windows`;
}

function brokenBound(rollout: Rollout, nowMs: number): string | null {
  const reached = reachedIn(rollout);
  const lost = reached.filter((member) => member.lost);
  const heard = reached.filter((member) => member.lost || member.applied || hasWindows(member));
  const enough = heard.length >= Math.min(reached.length, ENOUGH_MACHINES);
  if (lost.length > 0 && enough && lost.length * 2 >= heard.length) return lossOf(lost);
  if (lost.length >= 2 && lost.length > LOST_SHARE * reached.length) return lossOf(lost);
  const { windows, agreed, newFindings, oldFindings, oldOutside, newMs, oldMs } = figuresOf(rollout);
  const days = (heard.length * Math.max(0, nowMs - rollout.sinceMs)) / DAY_MS;
  const allowed = FINDINGS_MORE + FINDINGS_PER_DAY * days + FINDINGS_TIMES * oldFindings;
  if (newFindings > allowed) {
    return `Too loud: ${newFindings} findings, ${oldFindings} of the old one; ${Math.round(allowed)} are allowed.`;
  }
  const alone = windows - agreed - oldOutside;
  if (windows >= ALONE_WINDOWS && alone > ALONE_SHARE * windows) {
    return `Does not agree: it alone calls at least ${alone} of ${windows} windows unusual.`;
  }
  if (windows >= ALONE_WINDOWS && newMs > COST_MS * windows && newMs > COST_TIMES * oldMs) {
    return `Too slow: ${Math.round(newMs)} ms for ${windows} windows; the old one took ${Math.round(oldMs)} ms.`;
  }
  return null;
}

function lossOf(lost: readonly RolloutMember[]): string {
  return `${lost.length} of the machines would not run it; ${lost[0]!.agent}: ${lost[0]!.out}`;
}
