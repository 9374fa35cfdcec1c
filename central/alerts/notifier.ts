/**
 * Tells people. One stage of the central:
 *
 *     news of incidents (written with each commit) ─┐
 *     who calls and who does not (watch) ───────────┴─► threads ─► for each target: what differs from what it was told
 *                                                                    └─► a message ─► sent ─► noted
 *
 * News are deleted in the write in which what was made of them is kept. A message counts as told when the receiver has
 * taken it; a central that dies between the two tells it once more, under the same id.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { AgentState } from '../api.ts';
import { INCIDENT_NEWS, type IncidentNews } from '../store/incident-news.ts';
import type { Documents } from '../store/store.ts';
import type { AlertsView } from './api.ts';
import { AlertBook, newTargetState } from './book.ts';
import type { AlertsConfig } from './config.ts';
import { Heartbeat } from './heartbeat.ts';
import { type Naming, oneLine } from './message.ts';
import { type Planned, takeResumed } from './planned.ts';
import { Sender } from './sender.ts';
import type { Target } from './targets/target.ts';
import type { Thread } from './thread.ts';
import { forgettable, takeConditions, takeGone, takeIncident } from './threads.ts';
import { Watch } from './watch.ts';

/** News that are taken in one write. */
const NEWS_AT_ONCE = 200;
const TICK_MS = 1_000;
/** Who is overdue is looked at as often. */
const WATCH_MS = 5_000;
const FORGET_MS = 10 * 60_000;

export interface NotifierOptions {
  readonly documents: Documents;
  readonly agents: () => readonly AgentState[];
  readonly config: AlertsConfig;
  readonly targets: readonly Target[];
  /** Of the heartbeat's server: PEM, or null. */
  readonly heartbeatCa: string | null;
  readonly brokerUrl: string | null;
  /** Whether work is planned on a machine: then nobody is woken for it; default never. */
  readonly planned?: Planned;
  /** Where the pages are served; asked with each message. */
  readonly url: () => string;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** False: whoever made it calls `tick`. */
  readonly ticks?: false;
}

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #book: AlertBook;
  readonly #planned: Planned;
  readonly #watch: Watch;
  readonly #senders: readonly Sender[];
  readonly #heartbeat: Heartbeat | null;
  readonly #naming: Naming;
  #turns: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #ticking = false;
  #watchedMs = 0;
  #forgotMs = 0;
  #problem: string | null = null;
  #names = new Map<string, string>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    const { config, documents, agents, nowMs, random, log } = options;
    this.#book = new AlertBook(documents);
    const book = this.#book;
    this.#planned = options.planned ?? (() => false);
    const planned = this.#planned;
    this.#watch = new Watch({ book, config: config.overdue, agents, nowMs, brokerUrl: options.brokerUrl, planned });
    this.#naming = {
      nameOf: (agent) => oneLine(this.#names.get(agent) ?? agent, 100),
      get url() {
        return options.url();
      },
    };
    const naming = this.#naming;
    const inTurn = <T>(work: () => Promise<T>): Promise<T> => this.#inTurn(work);
    this.#senders = config.targets.flatMap((one) => {
      const target = options.targets.find(({ name }) => name === one.name);
      if (target === undefined) return [];
      return [new Sender({ target, config: one, policy: config, book, naming, nowMs, random, log, inTurn })];
    });
    this.#heartbeat =
      config.heartbeat === undefined
        ? null
        : new Heartbeat({
            config: config.heartbeat,
            ca: options.heartbeatCa,
            nowMs,
            log,
            problem: async () => this.#workProblem(),
            counts: () => this.#counts(),
          });
  }

  async start(): Promise<void> {
    await this.#book.load();
    await this.#watch.start();
    for (const { name } of this.#senders) {
      if (this.#book.targets.has(name)) continue;
      await this.#book.note({ target: [name, newTargetState(this.#options.nowMs())] });
    }
    if (this.#options.ticks !== false) this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** What an agent had was brought by hand. */
  carried(agent: string): void {
    this.#watch.carried(agent);
  }

  brokerConnected(): void {
    this.#watch.brokerConnected();
  }

  brokerLost(): void {
    this.#watch.brokerLost();
  }

  /** Takes what is new, and sends what is due. Once a second; does nothing while it does so already. */
  async tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    try {
      await this.#inTurn(() => this.#decide());
      if (this.#problem !== null) this.#options.log.warn({}, 'notifications are decided again');
      this.#problem = null;
    } catch (error) {
      const problem = messageOf(error);
      if (this.#problem === null) this.#options.log.error({ problem }, 'notifications wait; they are tried again');
      this.#problem = problem;
    } finally {
      this.#ticking = false;
    }
    for (const sender of this.#senders) sender.pump();
    this.#heartbeat?.tick();
  }

  /** Throws `not_found`, or what went wrong. */
  async test(name: string): Promise<string | null> {
    const sender = this.#senders.find((one) => one.name === name);
    return sender === undefined ? null : sender.test();
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.idle()));
    await this.#turns;
  }

  view(): AlertsView {
    const targets = this.#senders.map((sender) => {
      const { sinceMs, untoldDrops, ...state } = sender.state();
      const waiting = sender.waiting();
      const oldestMs = waiting.reduce(
        (least, { thread }) => Math.min(least, thread.changedMs),
        Number.POSITIVE_INFINITY,
      );
      return {
        name: sender.name,
        kind: sender.where.kind,
        where: sender.where.where,
        ...state,
        waiting: waiting.length,
        waitingSinceMs: Number.isFinite(oldestMs) ? oldestMs : null,
        nextTryMs: sender.pausedUntilMs,
      };
    });
    return {
      targets,
      heartbeat: this.#heartbeat?.state() ?? null,
      problem: this.#workProblem(),
      log: [...this.#book.log].reverse(),
      contacts: this.#watch.contacts(),
    };
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#heartbeat?.close();
    await Promise.all(this.#senders.map((sender) => sender.close()));
    await this.#turns;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turns.then(work);
    this.#turns = result.catch(() => {});
    return result;
  }

  async #decide(): Promise<void> {
    const { nowMs, agents, config, documents } = this.#options;
    const at = { nowMs: nowMs(), holdMs: config.holdBack };
    await this.#book.settle();
    for (;;) {
      const news = await documents.list<IncidentNews>(INCIDENT_NEWS, { limit: NEWS_AT_ONCE });
      if (news.length === 0) break;
      this.#learnNames(agents());
      const threads = new Map(this.#book.threads);
      const changed = new Map<string, Thread>();
      for (const { value } of news) {
        const thread = takeIncident(threads, value, this.#siteOf(value.agent), at, this.#planned);
        if (thread === null) continue;
        threads.set(thread.key, thread);
        changed.set(thread.key, thread);
      }
      const consumed = news.map(({ key }) => ({ namespace: INCIDENT_NEWS, key, value: null }));
      await this.#book.decide([...changed.values()], consumed);
      if (news.length < NEWS_AT_ONCE) break;
    }
    if (Math.abs(at.nowMs - this.#watchedMs) >= WATCH_MS) await this.#look(at);
    if (Math.abs(at.nowMs - this.#forgotMs) >= FORGET_MS) {
      this.#forgotMs = at.nowMs;
      await this.#book.forget(forgettable(this.#book.threads, at.nowMs));
    }
  }

  async #look(at: { readonly nowMs: number; readonly holdMs: number }): Promise<void> {
    this.#watchedMs = at.nowMs;
    const all = this.#options.agents();
    this.#learnNames(all);
    const here = new Set(all.filter(({ retiredMs }) => retiredMs === null).map(({ id }) => id));
    const gone = takeGone(this.#book.threads, (agent) => !here.has(agent), at);
    if (gone.length > 0) await this.#book.decide(gone);
    const resumed = takeResumed(this.#book.threads, this.#planned, at);
    if (resumed.length > 0) await this.#book.decide(resumed);
    const conditions = await this.#watch.look();
    if (conditions === null) return;
    const changed = takeConditions(this.#book.threads, conditions, at);
    if (changed.length > 0) await this.#book.decide(changed);
  }

  #sites = new Map<string, string>();

  #learnNames(agents: readonly AgentState[]): void {
    this.#names = new Map(agents.map(({ id, name }) => [id, name]));
    this.#sites = new Map(agents.map(({ id, site }) => [id, site]));
  }

  #siteOf(agent: string): string {
    return this.#sites.get(agent) ?? '';
  }

  /** Why the central cannot do its work. */
  #workProblem(): string | null {
    if (this.#problem !== null) return `what is decided cannot be written: ${this.#problem}`;
    return this.#watch.brokerIsLost ? 'there is no connection to the broker' : null;
  }

  #counts(): Readonly<Record<string, number>> {
    const open = [...this.#book.threads.values()].filter(({ state }) => state === 'open');
    return {
      agents: this.#names.size,
      open: open.length,
      overdue: this.#watch.contacts().filter(({ overdueMs }) => overdueMs !== null).length,
    };
  }
}
