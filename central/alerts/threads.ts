/**
 * From what happens to threads: pure. Every function answers with the threads that changed; whoever calls it writes
 * them and then takes them for the state.
 */
import type { Severity } from '../../shared/findings.ts';
import type { IncidentNews } from '../store/incident-news.ts';
import { shortTitle } from './message.ts';
import { episodeOf, type Planned } from './planned.ts';
import {
  EPISODES,
  type Episode,
  FLAP_MS,
  graver,
  gravest,
  holdMs,
  KEEP_CLOSED_MS,
  LATE_MS,
  LATE_QUIET_MS,
  MOST_THREADS,
  type Thread,
  type ThreadKind,
} from './thread.ts';

export type Threads = ReadonlyMap<string, Thread>;

/** The moment, and how long a close is held back in case it opens again. */
export interface At {
  readonly nowMs: number;
  readonly holdMs: number;
}

/** What is the case now and may last: an agent that is overdue, a site that is silent, a broker that is gone. */
export interface Condition {
  /** Of the same base there is one thread at a time. */
  readonly base: string;
  readonly kind: Exclude<ThreadKind, 'incident'>;
  readonly agent: string | null;
  readonly site: string;
  readonly severity: Severity;
  readonly title: string;
  /** What its thread is called from its beginning to its end. */
  readonly subject: string;
  readonly lines: readonly string[];
  readonly series: number;
  readonly sinceMs: number;
}

/** A revision of an incident; null where it changes nothing. */
export function takeIncident(
  threads: Threads,
  news: IncidentNews,
  site: string,
  at: At,
  planned: Planned = () => false,
): Thread | null {
  const episode = episodeOf(news, planned, at.nowMs);
  const { id, revision, severity } = episode;
  const base = `incident:${news.agent}`;
  const mine = [...threads.values()].filter((thread) => thread.base === base);
  const known = mine.find(({ episodes }) => episodes.some((episode) => episode.id === id));
  const late = at.nowMs - news.updatedMs > LATE_MS;
  if (known === undefined) {
    const before = late ? undefined : lastOf(mine, at);
    if (before !== undefined) return reopened(before, episode, news, at);
    return newThread(base, `incident:${news.agent}:${id}`, episode, news, site, at.nowMs, late);
  }
  const was = known.episodes.find((one) => one.id === id)!;
  if (was.revision >= revision) return null;
  const episodes = known.episodes.map((one) => (one.id === id ? episode : one));
  const open = episodes.some((one) => one.open);
  const latest = known.episodes.at(-1)?.id === id;
  const changed: Thread = {
    ...known,
    episodes,
    state: open ? 'open' : 'closed',
    severity: gravest(known.severity, severity),
    wakes: episodes.some((one) => one.wakes && (one.open || !open)),
    closedMs: open ? null : (news.closedMs ?? news.updatedMs),
    // A machine that is heard again in time ends its lateness: what lasts is told like any other.
    late: known.late && late,
    ...(latest && { title: news.title, lines: news.texts, changes: news.changes, series: news.series }),
    openedMs: known.count === 1 ? news.openedMs : known.openedMs,
    reopenedMs: latest ? news.openedMs : known.reopenedMs,
  };
  return timed(known, changed, at);
}

/** What is the case now, against what was: opens, opens again, says anew, closes. */
export function takeConditions(threads: Threads, conditions: readonly Condition[], at: At): Thread[] {
  const out: Thread[] = [];
  const now = new Map(conditions.map((condition) => [condition.base, condition]));
  const open = new Map<string, Thread>();
  for (const thread of threads.values()) {
    if (thread.kind !== 'incident' && thread.state === 'open') open.set(thread.base, thread);
  }
  for (const condition of now.values()) {
    const { base, severity, sinceMs, title, lines, series } = condition;
    const news = { ...condition, texts: lines, changes: [], openedMs: sinceMs, updatedMs: at.nowMs, closedMs: null };
    const known = open.get(base);
    if (known === undefined) {
      const episode: Episode = { id: `${base}:${sinceMs}`, revision: 1, open: true, severity, wakes: true };
      const before = lastOf(
        [...threads.values()].filter((thread) => thread.base === base),
        at,
      );
      if (before !== undefined) out.push(reopened(before, episode, news, at));
      else out.push(newThread(base, episode.id, episode, news, condition.site, at.nowMs, false));
      continue;
    }
    const same = known.title === title && known.series === series && known.severity === severity;
    if (same && known.lines.join('\n') === lines.join('\n')) continue;
    const changed = { ...known, title, lines, series, severity: gravest(known.severity, severity) };
    out.push(timed(known, changed, at));
  }
  for (const [base, thread] of open) {
    if (now.has(base)) continue;
    const episodes = thread.episodes.map((episode) => ({ ...episode, open: false }));
    out.push(timed(thread, { ...thread, episodes, state: 'closed', closedMs: at.nowMs }, at));
  }
  return out;
}

/** Open threads of machines that are retired or gone: over, and nobody needs to be told. */
export function takeGone(threads: Threads, isGone: (agent: string) => boolean, { nowMs }: At): Thread[] {
  const out: Thread[] = [];
  for (const thread of threads.values()) {
    if (thread.state !== 'open' || thread.agent === null || !isGone(thread.agent)) continue;
    const episodes = thread.episodes.map((episode) => ({ ...episode, open: false }));
    const title = `${thread.title} (the machine was retired)`;
    out.push({ ...thread, title, episodes, state: 'closed', closedMs: nowMs, changedMs: nowMs, dueMs: nowMs });
  }
  return out;
}

/** Keys of threads that need not be kept: closed long ago, or the oldest of too many. */
export function forgettable(threads: Threads, nowMs: number): string[] {
  const out: string[] = [];
  const closed: Thread[] = [];
  for (const thread of threads.values()) {
    if (thread.state === 'open') continue;
    if (nowMs - thread.changedMs > KEEP_CLOSED_MS) out.push(thread.key);
    else closed.push(thread);
  }
  const over = threads.size - out.length - MOST_THREADS;
  if (over <= 0) return out;
  const open = [...threads.values()].filter(({ state }) => state === 'open');
  const byAge = (a: Thread, b: Thread): number => a.changedMs - b.changedMs;
  const oldest = [...closed.sort(byAge), ...open.sort(byAge)].slice(0, over);
  return [...out, ...oldest.map(({ key }) => key)];
}

interface Words {
  readonly agent: string | null;
  readonly severity: Severity;
  readonly title: string;
  readonly subject?: string;
  readonly texts: readonly string[];
  readonly changes: readonly string[];
  readonly series: number;
  readonly openedMs: number;
  readonly updatedMs: number;
  readonly closedMs: number | null;
}

/** The thread that what comes now belongs to: all is over in it, and that was not long ago. */
function lastOf(threads: readonly Thread[], { nowMs, holdMs: firstMs }: At): Thread | undefined {
  let last: Thread | undefined;
  for (const thread of threads) {
    if (thread.state === 'open' || thread.late) continue;
    if (nowMs - thread.changedMs > Math.max(FLAP_MS, 2 * holdMs(firstMs, thread.count))) continue;
    if (last === undefined || thread.changedMs > last.changedMs) last = thread;
  }
  return last;
}

function newThread(
  base: string,
  key: string,
  episode: Episode,
  words: Words,
  site: string,
  nowMs: number,
  late: boolean,
): Thread {
  return {
    key,
    kind: base.slice(0, base.indexOf(':')) as ThreadKind,
    base,
    agent: words.agent,
    site,
    state: episode.open ? 'open' : 'closed',
    severity: episode.severity,
    title: words.title,
    subject: words.subject ?? shortTitle(words.title),
    lines: words.texts,
    changes: words.changes,
    series: words.series,
    wakes: episode.wakes,
    openedMs: words.openedMs,
    reopenedMs: words.openedMs,
    closedMs: episode.open ? null : (words.closedMs ?? words.updatedMs),
    changedMs: nowMs,
    dueMs: late ? nowMs + LATE_QUIET_MS : nowMs,
    late,
    episodes: [episode],
    count: 1,
    told: {},
  };
}

function reopened(before: Thread, episode: Episode, words: Words, { nowMs, holdMs: firstMs }: At): Thread {
  const graverNow = graver(episode.severity, before.severity);
  const count = before.count + 1;
  const subject = words.subject ?? shortTitle(words.title);
  return {
    ...before,
    state: episode.open ? 'open' : 'closed',
    severity: gravest(before.severity, episode.severity),
    title: words.title,
    subject: sameBut(before.subject, subject) ? before.subject : subject,
    lines: words.texts,
    changes: words.changes,
    series: words.series,
    wakes: episode.wakes,
    reopenedMs: words.openedMs,
    closedMs: episode.open ? null : (words.closedMs ?? words.updatedMs),
    changedMs: nowMs,
    // What is graver than anything before does not wait.
    dueMs: graverNow ? nowMs : nowMs + holdMs(firstMs, before.count),
    episodes: [...before.episodes, episode].slice(-EPISODES),
    count,
  };
}

/** Whether they differ in numbers alone: another value of the same trouble. */
function sameBut(a: string, b: string): boolean {
  const plain = (text: string): string => text.replace(/[\d.,–-]+/g, '#');
  return plain(a) === plain(b);
}

/** When a change of a thread may be told. */
function timed(before: Thread, after: Thread, { nowMs, holdMs: firstMs }: At): Thread {
  if (after.late) return { ...after, changedMs: nowMs, dueMs: nowMs + LATE_QUIET_MS };
  if (before.late) return { ...after, changedMs: nowMs, dueMs: nowMs };
  if (before.state !== after.state) {
    const dueMs = after.state === 'closed' ? nowMs + holdMs(firstMs, after.count) : nowMs;
    return { ...after, changedMs: nowMs, dueMs };
  }
  const sooner = graver(after.severity, before.severity) || (after.wakes && !before.wakes);
  return sooner ? { ...after, changedMs: nowMs, dueMs: nowMs } : after;
}
