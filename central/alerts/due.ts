/**
 * What a target is to be told now: pure. The difference between what is the case and what the target was told last,
 * made into one message at a time.
 *
 *     grave and new first → what worsened or came again → what closed → what came and went → what was late
 *
 * Many at once become one digest: after an outage of a target nobody gets a message for each thing that is over.
 */
import { type Severity, severities } from '../../shared/findings.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { graver, holdMs, LATE_MOST_MS, LATE_QUIET_MS, type Thread, type Told } from './thread.ts';
import type { Threads } from './threads.ts';

/** `was`: came and went before it could be told. */
export type Change = 'opened' | 'worsened' | 'again' | 'closed' | 'was';

export interface Item {
  readonly thread: Thread;
  readonly change: Change;
}

export interface Message {
  /** `one` thread; many in a `digest`; a machine's `late` ones. */
  readonly kind: 'one' | 'digest' | 'late';
  readonly items: readonly Item[];
}

/** What decides what a target is told. */
export interface Listener {
  readonly name: string;
  readonly minimalSeverity: Severity;
  /** It is told nothing that was over when it was first configured. */
  readonly sinceMs: number;
  /** See `At`. */
  readonly holdMs: number;
}

/** More messages of one kind than this become a digest. */
export const MANY = 10;
/** As many machines that fall silent at once are one message. */
const TOGETHER = 3;
/** The first of several that are heard again waits for the others as long. */
const FOLLOW_MS = 5 * MINUTE_MS;
/** Threads in one digest; the rest is in the next. */
const DIGEST_ITEMS = 100;
/** Series that an incident must have more than it was told with, to have worsened: so many times, and so many. */
const MORE_TIMES = 3;
const MORE_SERIES = 10;
const FURTHEST_MS = 6 * HOUR_MS;

/** What is to be told of a thread; null: nothing. */
export function changeOf(thread: Thread, listener: Listener): Change | null {
  const told = thread.told[listener.name];
  const { state, wakes, count } = thread;
  if (graver(listener.minimalSeverity, thread.severity))
    return told?.state === 'open' && state === 'closed' ? 'closed' : null;
  if (told === undefined) {
    if (!wakes || (state === 'closed' && thread.changedMs < listener.sinceMs)) return null;
    return state === 'open' ? 'opened' : 'was';
  }
  if (told.state === 'open' && state === 'closed') return told.dropped === true ? (wakes ? 'was' : null) : 'closed';
  if (!wakes) return null;
  if (state === 'closed') {
    if (count <= told.episodes) return null;
    const lastedMs = (thread.closedMs ?? thread.changedMs) - thread.reopenedMs;
    return lastedMs >= holdMs(listener.holdMs, count - 1) ? 'was' : null;
  }
  if (told.state === 'closed') return 'again';
  if (graver(thread.severity, told.severity)) return 'worsened';
  if (thread.series >= told.series * MORE_TIMES && thread.series >= told.series + MORE_SERIES) return 'worsened';
  return count > told.episodes ? 'again' : null;
}

/** All that a target is still to be told, due or not. */
export function waitingFor(threads: Threads, listener: Listener): Item[] {
  const out: Item[] = [];
  for (const thread of threads.values()) {
    const change = changeOf(thread, listener);
    if (change !== null) out.push({ thread, change });
  }
  return out;
}

/**
 * The next message; null: nothing is due.
 * @param isHeld whether a thread waits after a refusal
 */
export function nextMessage(
  waiting: readonly Item[],
  nowMs: number,
  isHeld: (key: string) => boolean = () => false,
): Message | null {
  const following = isFollowed(waiting, nowMs);
  const due = waiting.filter((item) => {
    const { thread } = item;
    return !thread.late && isDue(thread, nowMs) && !isHeld(thread.key) && !(following && isHeardAgain(item));
  });
  const of = (...changes: Change[]): Item[] => due.filter(({ change }) => changes.includes(change));
  for (const items of [of('opened', 'worsened', 'again'), of('closed')]) {
    // Machines that fell silent together, or are heard again together: whatever has them in common, it is one.
    const silences = items.filter(({ thread }) => thread.kind === 'silent');
    if (silences.length >= TOGETHER) return { kind: 'digest', items: silences.sort(byUrgency).slice(0, DIGEST_ITEMS) };
    if (items.length > MANY) return { kind: 'digest', items: items.sort(byUrgency).slice(0, DIGEST_ITEMS) };
    if (items.length > 0) return { kind: 'one', items: [items.reduce((a, b) => (byUrgency(a, b) <= 0 ? a : b))] };
  }
  const was = of('was');
  if (was.length > 1) return { kind: 'digest', items: was.sort(byTime).slice(0, DIGEST_ITEMS) };
  if (was.length === 1) return { kind: 'one', items: was };
  return lateMessage(
    waiting.filter(({ thread }) => thread.late && !isHeld(thread.key)),
    nowMs,
  );
}

function isHeardAgain({ thread, change }: Item): boolean {
  return thread.kind === 'silent' && change === 'closed';
}

/** Whether machines that are heard again will be followed by others soon. */
function isFollowed(waiting: readonly Item[], nowMs: number): boolean {
  const again = waiting.filter(isHeardAgain).map(({ thread }) => thread.dueMs);
  return again.some((dueMs) => dueMs > nowMs) && nowMs - Math.min(...again) < FOLLOW_MS;
}

/** Nothing is held back for longer than hours: a time that is further ahead was said by a clock that was wrong. */
function isDue({ dueMs }: Thread, nowMs: number): boolean {
  return dueMs <= nowMs || dueMs > nowMs + FURTHEST_MS;
}

/** What a target knows when it was told of a thread as it was then. */
export function toldOf(thread: Thread, target: string, atMs: number, dropped = false): Told {
  return {
    state: thread.state,
    severity: thread.severity,
    series: thread.series,
    episodes: thread.count,
    atMs,
    messages: (thread.told[target]?.messages ?? 0) + (dropped ? 0 : 1),
    ...(dropped && { dropped }),
  };
}

/** What is given up: it has waited for too long, or it is the oldest of too many. */
export function toGiveUp(waiting: readonly Item[], nowMs: number, forMs: number, most: number): Item[] {
  const old = waiting.filter(({ thread }) => nowMs - thread.dueMs > forMs);
  const left = waiting.filter(({ thread }) => nowMs - thread.dueMs <= forMs);
  if (left.length <= most) return old;
  return [...old, ...left.sort((a, b) => a.thread.dueMs - b.thread.dueMs).slice(0, left.length - most)];
}

/** One machine's, when it has said no more of them for a while, or goes on for too long. */
function lateMessage(late: readonly Item[], nowMs: number): Message | null {
  const byAgent = new Map<string, Item[]>();
  for (const item of late) {
    const agent = item.thread.agent ?? '';
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), item]);
  }
  for (const items of byAgent.values()) {
    const lastMs = Math.max(...items.map(({ thread }) => thread.dueMs));
    const firstMs = Math.min(...items.map(({ thread }) => thread.dueMs)) - LATE_QUIET_MS;
    if (lastMs > nowMs && Math.abs(nowMs - firstMs) < LATE_MOST_MS) continue;
    return { kind: 'late', items: items.sort(byTime).slice(0, DIGEST_ITEMS) };
  }
  return null;
}

function byUrgency(a: Item, b: Item): number {
  const weight = ({ thread }: Item): number => severities.indexOf(thread.severity);
  return weight(b) - weight(a) || a.thread.dueMs - b.thread.dueMs || (a.thread.key < b.thread.key ? -1 : 1);
}

function byTime(a: Item, b: Item): number {
  return a.thread.openedMs - b.thread.openedMs || (a.thread.key < b.thread.key ? -1 : 1);
}
