/**
 * Watches who calls and who does not: learns each machine's habit from its calls, and says who is overdue. The central
 * hears nothing while it does not run and while its broker is gone; a silence counts only as far as it listened.
 */
import { MINUTE_MS } from '../../shared/limits.ts';
import type { AgentState } from '../api.ts';
import type { Contact } from './api.ts';
import type { AlertBook, Contacted } from './book.ts';
import type { AlertsConfig } from './config.ts';
import { LEAST_GAP_MS, newHabit, withGap } from './habit.ts';
import { listenedMs, withDeaf } from './listening.ts';
import { moment } from './message.ts';
import type { Planned } from './planned.ts';
import { conditionsOf, contactOf, expectationOf } from './silence.ts';
import type { Condition } from './threads.ts';

/** How often it is written that the central lives. */
const ALIVE_MS = MINUTE_MS;
/** A broker that is gone for less is not worth a word. */
const BROKER_MS = MINUTE_MS;
/** A silence of which as much was not listened to teaches nothing. */
const DEAF_SHARE = 0.1;

export interface WatchOptions {
  readonly book: AlertBook;
  readonly config: AlertsConfig['overdue'];
  readonly agents: () => readonly AgentState[];
  readonly nowMs: () => number;
  /** Whether work is planned on a machine: then its silence is no news. */
  readonly planned?: Planned;
  /** Address of the broker, for words; null: the embedded one. */
  readonly brokerUrl: string | null;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #lastSeen = new Map<string, number>();
  readonly #carried = new Set<string>();
  /** Since when there is no broker; null while there is one. */
  #lostMs: number | null;
  #aliveWrittenMs = 0;
  #listeningSinceMs: number;

  constructor(options: WatchOptions) {
    this.#options = options;
    const nowMs = options.nowMs();
    this.#listeningSinceMs = nowMs;
    // An external broker is there when it says so.
    this.#lostMs = options.brokerUrl === null ? null : nowMs;
  }

  /** After the book was loaded: what was between its last sign of life and now was not listened to. */
  async start(): Promise<void> {
    const { book, nowMs } = this.#options;
    const before = book.listening;
    const deaf = before === null ? [] : withDeaf(before.deaf, before.aliveMs, nowMs());
    await book.note({ listening: { aliveMs: nowMs(), deaf } });
    for (const { id, lastSeenMs } of this.#options.agents()) {
      if (lastSeenMs !== null) this.#lastSeen.set(id, lastSeenMs);
    }
  }

  brokerConnected(): void {
    if (this.#lostMs === null) return;
    const { book, nowMs } = this.#options;
    const { aliveMs, deaf } = book.listening ?? { aliveMs: nowMs(), deaf: [] };
    // Kept in memory by the next tick's note; the ends of a stretch are what counts.
    book.listening = { aliveMs, deaf: withDeaf(deaf, this.#lostMs, nowMs()) };
    this.#lostMs = null;
    this.#listeningSinceMs = nowMs();
    this.#aliveWrittenMs = 0;
  }

  brokerLost(): void {
    this.#lostMs ??= this.#options.nowMs();
  }

  get brokerIsLost(): boolean {
    return this.#lostMs !== null;
  }

  /** What an agent had was brought by hand. */
  carried(agent: string): void {
    this.#carried.add(agent);
  }

  /** Learns from the calls since the last look, and answers what is the case now; null: nothing can be said now. */
  async look(): Promise<readonly Condition[] | null> {
    const { book, config, nowMs } = this.#options;
    await this.#learn();
    if (nowMs() - this.#aliveWrittenMs >= ALIVE_MS) {
      this.#aliveWrittenMs = nowMs();
      await book.note({ listening: { aliveMs: nowMs(), deaf: book.listening?.deaf ?? [] } });
    }
    const open = new Set<string>();
    for (const thread of book.threads.values()) if (thread.state === 'open') open.add(thread.base);
    const isOpen = (base: string): boolean => open.has(base);
    const broker = this.#brokerCondition(isOpen);
    if (this.#lostMs !== null) {
      // Who is silent cannot be known: what was open stays open.
      return broker === null ? null : [broker, ...this.#stillOpen()];
    }
    if (!this.#canJudge()) return this.#stillOpen();
    const planned = this.#options.planned ?? (() => false);
    // Who was said to be silent before the work began stays so.
    const heeded = this.contacts().filter(({ agent }) => isOpen(`silent:${agent}`) || !planned(agent, nowMs()));
    return conditionsOf(heeded, config, isOpen, nowMs());
  }

  /** All machines that were ever heard of and are not retired. */
  contacts(): Contact[] {
    const { book, config, nowMs } = this.#options;
    const deaf = this.#deaf();
    const judged = this.#canJudge();
    const out: Contact[] = [];
    for (const agent of this.#options.agents()) {
      if (agent.retiredMs !== null) continue;
      const known = book.contacts.get(agent.id);
      const expectation = expectationOf(agent, known?.habit ?? null, known?.byHand ?? false, config);
      const contact = contactOf(agent, expectation, deaf, nowMs());
      if (contact !== null) out.push(judged ? contact : { ...contact, overdueMs: null });
    }
    return out;
  }

  /** After a start or a gap all are unknown: they get the time that one has who is always connected. */
  #canJudge(): boolean {
    const { nowMs, config } = this.#options;
    return this.#lostMs === null && nowMs() - this.#listeningSinceMs >= config.after;
  }

  #deaf() {
    const deaf = this.#options.book.listening?.deaf ?? [];
    return this.#lostMs === null ? deaf : withDeaf(deaf, this.#lostMs, this.#options.nowMs());
  }

  async #learn(): Promise<void> {
    const { book } = this.#options;
    const deaf = this.#deaf();
    const changed: (readonly [string, Contacted])[] = [];
    for (const { id, lastSeenMs, presence } of this.#options.agents()) {
      if (lastSeenMs === null) continue;
      const before = this.#lastSeen.get(id);
      if (before !== undefined && lastSeenMs <= before) continue;
      const carried = this.#carried.delete(id);
      this.#lastSeen.set(id, lastSeenMs);
      const known = book.contacts.get(id) ?? { habit: newHabit(before ?? lastSeenMs), byHand: false };
      const gapMs = before === undefined ? 0 : lastSeenMs - before;
      const heardMs = before === undefined ? 0 : listenedMs(deaf, before, lastSeenMs);
      const counts = gapMs >= LEAST_GAP_MS && heardMs >= gapMs * (1 - DEAF_SHARE);
      const byHand = carried && presence !== 'online';
      // How often somebody comes by says nothing of how often it calls.
      const learned = counts ? withGap(known.habit, lastSeenMs, gapMs) : known.habit;
      const habit = byHand || known.byHand ? newHabit(lastSeenMs) : learned;
      if (habit === known.habit && byHand === known.byHand && book.contacts.has(id)) continue;
      changed.push([id, { habit, byHand }]);
    }
    if (changed.length > 0) await book.note({ contacts: changed });
  }

  #brokerCondition(isOpen: (base: string) => boolean): Condition | null {
    const { nowMs, brokerUrl } = this.#options;
    if (this.#lostMs === null || brokerUrl === null) return null;
    if (nowMs() - this.#lostMs < BROKER_MS && !isOpen('broker:')) return null;
    return {
      base: 'broker:',
      kind: 'broker',
      agent: null,
      site: '',
      severity: 'critical',
      title: `the central has no connection to its broker since ${moment(this.#lostMs)}`,
      subject: 'no connection to the broker',
      lines: [`Nothing is heard of any machine. The broker is ${brokerUrl}.`],
      series: 1,
      sinceMs: this.#lostMs,
    };
  }

  /** Open conditions, but that of the broker, as they were. */
  #stillOpen(): Condition[] {
    const out: Condition[] = [];
    for (const thread of this.#options.book.threads.values()) {
      if (thread.state !== 'open' || thread.kind === 'incident' || thread.kind === 'broker') continue;
      const { base, kind, agent, site, severity, title, subject, lines, series, openedMs } = thread;
      out.push({ base, kind, agent, site, severity, title, subject, lines, series, sinceMs: openedMs });
    }
    return out;
  }
}
