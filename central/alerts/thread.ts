/**
 * A thread is one trouble as people are told of it: it opens, may worsen, and closes. Several incidents of one machine
 * that follow each other within minutes are one thread, so that what flaps is one conversation.
 *
 * Telling is by level, not by edge: a thread holds what is the case, and for each target what that target was told
 * last. What differs is told. So a message is never doubled by a crash between deciding and writing, what has come and
 * gone while a target could not be reached shrinks to one line, and nothing waits in a queue that could grow.
 */
import { type Severity, severities } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';

export const threadKinds = ['incident', 'silent', 'site', 'fleet', 'broker'] as const;
export type ThreadKind = (typeof threadKinds)[number];

/** An incident of a thread, or one stretch of silence. */
export interface Episode {
  readonly id: string;
  readonly revision: number;
  readonly open: boolean;
  readonly severity: Severity;
  readonly wakes: boolean;
  /** It would wake somebody, but work is planned on the machine. */
  readonly quiet?: true;
}

/** What a target was told last. */
export interface Told {
  readonly state: 'open' | 'closed';
  readonly severity: Severity;
  readonly series: number;
  readonly episodes: number;
  readonly atMs: number;
  /** Messages so far; the first one's id is what later ones refer to. */
  readonly messages: number;
  /** It was not told but given up: too old, or too many waited. */
  readonly dropped?: true;
}

export interface Thread {
  /** Stable: the key by which receivers know that messages belong together. */
  readonly key: string;
  readonly kind: ThreadKind;
  /** What may reopen it: `incident:AGENT`, `silent:AGENT`. */
  readonly base: string;
  readonly agent: string | null;
  readonly site: string;
  readonly state: 'open' | 'closed';
  /** The gravest since it opened. */
  readonly severity: Severity;
  readonly title: string;
  /** What it is called from its beginning to its end, however its title goes on. */
  readonly subject: string;
  readonly lines: readonly string[];
  readonly changes: readonly string[];
  readonly series: number;
  readonly wakes: boolean;
  readonly openedMs: number;
  /** When its latest stretch began; `openedMs` until it is opened again. */
  readonly reopenedMs: number;
  readonly closedMs: number | null;
  /** By the central's clock: when it last changed in a way that may be told. */
  readonly changedMs: number;
  /** Nothing is told before. */
  readonly dueMs: number;
  /** Heard of when it was long over: told in a digest of its machine. */
  readonly late: boolean;
  /** The newest, at most `EPISODES`; `count` are all there were. */
  readonly episodes: readonly Episode[];
  readonly count: number;
  readonly told: Readonly<Record<string, Told>>;
}

/** Episodes that a thread remembers by name. */
export const EPISODES = 32;
/** Threads that are kept; the oldest closed ones go first. */
export const MOST_THREADS = 5_000;
/** Closed threads are kept as long, for who asks and for what may come again. */
export const KEEP_CLOSED_MS = 7 * DAY_MS;
/** What follows within as long on the same machine belongs to the thread before. */
export const FLAP_MS = 10 * MINUTE_MS;
const HOLD_MOST_MS = HOUR_MS;
/** What is older than this when it is first heard of is late: nobody is woken for it. */
export const LATE_MS = 15 * MINUTE_MS;
/** A digest of what was late waits until the machine has said no more of it for as long, */
export const LATE_QUIET_MS = 2 * MINUTE_MS;
/** but no longer than this. */
export const LATE_MOST_MS = 30 * MINUTE_MS;

/** How long a thread that has opened `count` times is held back: twice as long with each time. */
export function holdMs(firstMs: number, count: number): number {
  return Math.max(firstMs, Math.min(HOLD_MOST_MS, firstMs * 2 ** Math.min(10, Math.max(0, count - 1))));
}

export function graver(a: Severity, b: Severity): boolean {
  return severities.indexOf(a) > severities.indexOf(b);
}

export function gravest(a: Severity, b: Severity): Severity {
  return graver(b, a) ? b : a;
}
