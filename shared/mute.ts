/**
 * Silence for a while: what is found is recorded and shown as before, and wakes nobody. Of the whole machine, of one
 * rule, or of some series. Kept by the agent, so that it holds offline and over a restart, and ends by itself.
 */
import { DAY_MS, limits, MINUTE_MS } from './limits.ts';
import { integerOf, objectOf, textOf } from './trust/strict.ts';

export interface MuteRequest {
  readonly forMs: number;
  /** Id of a rule; `*` stands for any text. Null: whatever found it. */
  readonly rule: string | null;
  /** Pattern for a series' name, or for its written form with attributes. Null: all. */
  readonly series: string | null;
  readonly reason: string;
  /** Who asked: `user root on the machine`, `ann at the central`. */
  readonly by: string;
}

export interface Mute extends Omit<MuteRequest, 'forMs'> {
  readonly id: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The state by which an agent says what is muted, so that the central's audit trail has it. */
export const AGENT_MUTE = 'picket.agent.mute';
/** What that state is when nothing is. */
export const NOTHING_MUTED = 'nothing is muted';

export const muteLimits = {
  leastMs: MINUTE_MS,
  mostMs: 30 * DAY_MS,
  /** At once, on one machine. */
  most: 16,
  reasonCharacters: 200,
  byCharacters: 100,
  patternCharacters: limits.seriesTextBytes,
} as const;

/** A request from outside. Throws `payload.invalid`. */
export function readMuteRequest(json: unknown, at: string): MuteRequest {
  const { forMs, rule, series, reason, by } = objectOf(json, at);
  return {
    forMs: integerOf(forMs, `${at}.forMs`, muteLimits.leastMs, muteLimits.mostMs),
    rule: patternOf(rule, `${at}.rule`),
    series: patternOf(series, `${at}.series`),
    reason: textOf(reason, `${at}.reason`, muteLimits.reasonCharacters),
    by: textOf(by, `${at}.by`, muteLimits.byCharacters),
  };
}

/** Which mutes are to end, from outside; none named: all. Throws `payload.invalid`. */
export function readUnmute(json: unknown, at: string): Pick<Mute, 'rule' | 'series'> {
  const { rule, series } = objectOf(json, at);
  return { rule: patternOf(rule, `${at}.rule`), series: patternOf(series, `${at}.series`) };
}

/** One in force, from outside. Throws `payload.invalid`. */
export function readMute(json: unknown, at: string): Mute {
  const { id, rule, series, reason, by, fromMs, untilMs } = objectOf(json, at);
  return {
    id: textOf(id, `${at}.id`, 64),
    rule: patternOf(rule, `${at}.rule`),
    series: patternOf(series, `${at}.series`),
    reason: textOf(reason, `${at}.reason`, muteLimits.reasonCharacters),
    by: textOf(by, `${at}.by`, muteLimits.byCharacters),
    fromMs: integerOf(fromMs, `${at}.fromMs`),
    untilMs: integerOf(untilMs, `${at}.untilMs`),
  };
}

function patternOf(value: unknown, at: string): string | null {
  return value === null || value === undefined ? null : textOf(value, at, muteLimits.patternCharacters);
}

/** What is muted, in words: `everything`, `rule disk-space-low`, `series system.disk.*`. */
export function mutedWhat({ rule, series }: Pick<Mute, 'rule' | 'series'>): string {
  if (rule === null && series === null) return 'everything';
  return [rule === null ? '' : `rule ${rule}`, series === null ? '' : `series ${series}`].filter(Boolean).join(', ');
}
