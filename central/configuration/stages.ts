/**
 * A new version of a layer over the machines that it is for: a pure state machine, moved by what agents report and by
 * time.
 *
 *   canary ─► all ─► done          canary, all, done ──► reverted
 *
 * A machine has it when it reports so, and is well when it still runs some time after. One that takes it back, refuses it,
 * starts over and over or does not come back is lost: it goes on with what it had. A version is reverted by what happens
 * to its canaries first; a machine that was away before it was told is waited for.
 */
import { DAY_MS } from '../../shared/limits.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { ConfigurationMember, ConfigurationRollout } from './api.ts';

/** Of the machines that it reached, those that may be lost; one of a few is too many. */
const LOST_SHARE = 0.1;
const FEW_MACHINES = 10;
/** Starts since it was told: the one with the new configuration, and two by chance. */
const MOST_STARTS = 3;
/** What nothing is heard of is ended. */
const PATIENCE_MS = 7 * DAY_MS;

export type ConfigurationEvent =
  | { readonly type: 'told' | 'applied' | 'away' | 'back' | 'started'; readonly agent: string }
  | { readonly type: 'lost'; readonly agent: string; readonly reason: string }
  | { readonly type: 'tick' }
  | { readonly type: 'paused'; readonly by: string }
  | { readonly type: 'resumed'; readonly by: string }
  | { readonly type: 'promoted'; readonly by: string }
  | { readonly type: 'rolledBack'; readonly by: string };

export function ended({ stage }: ConfigurationRollout): boolean {
  return stage === 'done' || stage === 'reverted';
}

/** Whether the machine is to have the version. */
export function hasNew({ stage, members }: ConfigurationRollout, agent: string): boolean {
  const member = members[agent];
  if (stage === 'done') return member?.lost === null || member === undefined;
  if (stage === 'reverted' || member === undefined || member.lost !== null) return false;
  return stage === 'all' || member.canary;
}

/** The first stage: the machines with the lowest hashes are its canaries, the same ones while the layer is the same. */
export function opened(
  about: Pick<ConfigurationRollout, 'scope' | 'version' | 'from' | 'times'>,
  agents: readonly { readonly agent: string; readonly online: boolean }[],
  nowMs: number,
): ConfigurationRollout {
  const hash = ({ agent }: { agent: string }): string => sha256Hex(Buffer.from(`${about.scope} ${agent}`));
  const most = Math.max(1, Math.floor(agents.length * about.times.share));
  const canaries = new Set([...agents].sort((a, b) => (hash(a) < hash(b) ? -1 : 1)).slice(0, most));
  const members = agents.map((each): [string, ConfigurationMember] => [
    each.agent,
    {
      agent: each.agent,
      canary: canaries.has(each),
      toldMs: null,
      appliedMs: null,
      awayMs: each.online ? null : nowMs,
      starts: 0,
      lost: null,
    },
  ]);
  const rollout = { ...about, startedMs: nowMs, sinceMs: nowMs, pausedMs: null, members: Object.fromEntries(members) };
  if (agents.length === 0) return { ...rollout, stage: 'done', reason: 'No machine is there yet that it is for.' };
  return { ...rollout, stage: 'canary', reason: `Tried on ${canaries.size} of ${agents.length} machines first.` };
}

/** The rollout after an event; null: nothing changed. */
export function move(
  rollout: ConfigurationRollout,
  event: ConfigurationEvent,
  nowMs: number,
): ConfigurationRollout | null {
  const after = taken(rollout, event, nowMs);
  const now = after ?? rollout;
  if (now.pausedMs !== null || ended(now)) return after;
  const late = overdue(now, nowMs);
  return judged(late ?? now, nowMs) ?? late ?? after;
}

function taken(rollout: ConfigurationRollout, event: ConfigurationEvent, nowMs: number): ConfigurationRollout | null {
  const entered = (stage: ConfigurationRollout['stage'], reason: string) => ({
    ...rollout,
    stage,
    reason,
    sinceMs: nowMs,
    pausedMs: null,
  });
  if (event.type === 'rolledBack') {
    return rollout.stage === 'reverted' ? null : entered('reverted', `Rolled back by ${event.by}.`);
  }
  if (ended(rollout)) return null;
  switch (event.type) {
    case 'tick':
      return null;
    case 'paused':
      return rollout.pausedMs === null ? { ...rollout, pausedMs: nowMs, reason: `Paused by ${event.by}.` } : null;
    case 'resumed':
      if (rollout.pausedMs === null) return null;
      // The time of a pause does not count.
      return {
        ...rollout,
        pausedMs: null,
        sinceMs: rollout.sinceMs + (nowMs - rollout.pausedMs),
        reason: `Resumed by ${event.by}.`,
      };
    case 'promoted':
      return rollout.stage === 'canary' && rollout.pausedMs === null
        ? entered('all', `Promoted by ${event.by}.`)
        : null;
    default: {
      const member = rollout.members[event.agent];
      const next = member === undefined || member.lost !== null ? null : memberAfter(member, event, nowMs);
      return next === null ? null : { ...rollout, members: { ...rollout.members, [event.agent]: next } };
    }
  }
}

function memberAfter(
  member: ConfigurationMember,
  event: Extract<ConfigurationEvent, { agent: string }>,
  nowMs: number,
): ConfigurationMember | null {
  switch (event.type) {
    case 'told':
      return member.toldMs === null ? { ...member, toldMs: nowMs } : null;
    case 'applied':
      return member.appliedMs === null ? { ...member, appliedMs: nowMs, awayMs: null } : null;
    case 'away':
      return member.awayMs === null ? { ...member, awayMs: nowMs } : null;
    case 'back':
      return member.awayMs === null ? null : { ...member, awayMs: null };
    case 'started':
      return member.toldMs === null ? null : { ...member, starts: member.starts + 1 };
    case 'lost':
      return { ...member, lost: event.reason };
  }
}

/** Members that did not come back in time, or start over and over; null: none. */
function overdue(rollout: ConfigurationRollout, nowMs: number): ConfigurationRollout | null {
  const late = Object.values(rollout.members).flatMap((member) => {
    const reason = lossOf(member, rollout.times, nowMs);
    return reason === null ? [] : [{ ...member, lost: reason }];
  });
  if (late.length === 0) return null;
  return { ...rollout, members: { ...rollout.members, ...Object.fromEntries(late.map((one) => [one.agent, one])) } };
}

function lossOf(member: ConfigurationMember, times: ConfigurationRollout['times'], nowMs: number): string | null {
  const { lost, toldMs, appliedMs, awayMs, starts } = member;
  const { backMs } = times;
  if (lost !== null || toldMs === null || isSettled(member, times, nowMs)) return null;
  if (starts > MOST_STARTS) return `the agent started ${starts} times since it was told`;
  // Who was away before it was told is waited for.
  if (awayMs !== null) {
    return awayMs > toldMs && nowMs - awayMs >= backMs ? 'the machine did not come back with it' : null;
  }
  return appliedMs === null && nowMs - toldMs >= backMs ? 'the machine is there and does not say that it has it' : null;
}

/** It was well with it for long enough; what came later is no matter of the configuration. */
function isSettled(
  { appliedMs, awayMs }: ConfigurationMember,
  { settleMs }: ConfigurationRollout['times'],
  nowMs: number,
): boolean {
  return appliedMs !== null && (awayMs ?? nowMs) - appliedMs >= settleMs;
}

function judged(rollout: ConfigurationRollout, nowMs: number): ConfigurationRollout | null {
  const { stage, sinceMs, startedMs, times } = rollout;
  const entered = (next: ConfigurationRollout['stage'], reason: string) => ({
    ...rollout,
    stage: next,
    reason,
    sinceMs: nowMs,
  });
  const all = Object.values(rollout.members);
  const reached = all.filter(({ canary }) => stage === 'all' || canary);
  const lost = reached.filter((member) => member.lost !== null);
  const applied = reached.filter(({ appliedMs, lost: gone }) => appliedMs !== null && gone === null);
  const few = stage === 'canary' && reached.length < FEW_MACHINES;
  const half = lost.length * 2 >= lost.length + applied.length;
  if (lost.length > 0 && (few || half || (lost.length >= 2 && lost.length > LOST_SHARE * reached.length))) {
    return entered('reverted', `${lost.length} of the machines lost it; ${lost[0]!.agent}: ${lost[0]!.lost}`);
  }
  const waiting = reached.filter(({ appliedMs, lost: gone }) => appliedMs === null && gone === null);
  if (stage === 'all') {
    if (waiting.length === 0) return entered('done', 'All machines have it.');
    if (nowMs - sinceMs < PATIENCE_MS) return null;
    return entered('done', 'The machines that do not have it yet get it when they are back.');
  }
  // Those that are not connected do not hold up the others for ever, but one must have tried it.
  const present = waiting.filter(({ awayMs }) => awayMs === null);
  const well = applied.every((member) => isSettled(member, times, nowMs));
  if (applied.length > 0 && present.length === 0 && well) {
    const words = `${applied.length} machine${applied.length === 1 ? ' was' : 's were'} well with it`;
    return all.length === reached.length && waiting.length === 0
      ? entered('done', `${words}: all of them.`)
      : entered('all', `${words}.`);
  }
  if (nowMs - startedMs < PATIENCE_MS) return null;
  return entered('reverted', 'Nothing was heard of it.');
}
