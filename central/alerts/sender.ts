/**
 * One target's side of the notifier: what it is to be told next, the try, the pauses. One message at a time; a target
 * that hangs or is gone holds up nobody else.
 */
import { messageOf } from '../../shared/errors.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { LogEntry, TargetState } from './api.ts';
import { type AlertBook, newTargetState } from './book.ts';
import type { AlertsConfig, TargetConfig } from './config.ts';
import { type Item, type Listener, type Message, nextMessage, toGiveUp, toldOf, waitingFor } from './due.ts';
import { type Naming, wordsOf } from './message.ts';
import { pauseMs } from './retry.ts';
import { type Target, Undelivered } from './targets/target.ts';
import type { Thread } from './thread.ts';

/** The longest pause, with its chance. */
const LONGEST_PAUSE_MS = 2 * HOUR_MS;

export interface SenderOptions {
  readonly target: Target;
  readonly config: TargetConfig;
  readonly policy: Pick<AlertsConfig, 'retryFor' | 'mostWaiting' | 'holdBack'>;
  readonly book: AlertBook;
  readonly naming: Naming;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** Changes of the book come one after the other. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

export class Sender {
  readonly #options: SenderOptions;
  /** Threads that were refused, and until when they wait: one that is never taken holds up no others. */
  readonly #refused = new Map<string, { readonly times: number; readonly untilMs: number }>();
  readonly #ending = new AbortController();
  #pausedUntilMs = 0;
  #sending: Promise<void> | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.target.name;
  }

  get where(): Pick<Target, 'kind' | 'where'> {
    return this.#options.target;
  }

  get pausedUntilMs(): number | null {
    const leftMs = this.#pausedUntilMs - this.#options.nowMs();
    // A clock that was set back must not make it wait for longer.
    return leftMs > 0 && leftMs <= LONGEST_PAUSE_MS ? this.#pausedUntilMs : null;
  }

  state(): TargetState {
    return this.#options.book.targets.get(this.name) ?? newTargetState(this.#options.nowMs());
  }

  waiting(): Item[] {
    return waitingFor(this.#options.book.threads, this.#listener());
  }

  /** Sends what is due, one message after the other, unless it does so already or waits after a failure. */
  pump(): void {
    if (this.#sending !== null || this.#ending.signal.aborted || this.pausedUntilMs !== null) return;
    this.#sending = this.#run()
      .catch((error: unknown) =>
        this.#options.log.error({ target: this.name, problem: messageOf(error) }, 'a notification failed'),
      )
      .finally(() => {
        this.#sending = null;
      });
  }

  /** A message for trying out; throws what went wrong. */
  async test(): Promise<string> {
    const { target, naming, nowMs } = this.#options;
    return sendTest(target, naming, nowMs(), this.#ending.signal);
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#sending;
    this.#options.target.close();
  }

  async #run(): Promise<void> {
    const { nowMs } = this.#options;
    // Each success makes room for the next; a failure pauses.
    while (!this.#ending.signal.aborted) {
      await this.#giveUp();
      const message = nextMessage(this.waiting(), nowMs(), (key) => this.#isHeld(key));
      if (message === null || !(await this.#try(message))) return;
    }
  }

  async #try(message: Message): Promise<boolean> {
    const { target, book, naming, nowMs, random, inTurn, log } = this.#options;
    const startMs = nowMs();
    const dropped = this.state().untoldDrops;
    const words = wordsOf(message, target.name, naming, startMs, dropped);
    const entry = (result: LogEntry['result'], answer: string): LogEntry => ({
      atMs: nowMs(),
      target: target.name,
      what: message.kind === 'one' ? (message.items[0]?.change ?? '') : message.kind,
      subject: words.oneLine,
      agent: message.kind === 'digest' ? null : (message.items[0]?.thread.agent ?? null),
      result,
      answer,
    });
    try {
      const delivery = { ...words, message, naming, atMs: startMs, dropped };
      const answer = await target.send(delivery, this.#ending.signal);
      await inTurn(async () => {
        const before = this.state();
        for (const { thread } of message.items) this.#refused.delete(thread.key);
        const state: TargetState = {
          ...before,
          lastSuccessMs: nowMs(),
          failures: 0,
          sent: before.sent + 1,
          untoldDrops: before.untoldDrops - dropped,
        };
        const threads = this.#toldNow(message.items, startMs);
        await book.note({ threads, target: [target.name, state], log: entry('sent', answer) });
      }).catch((error: unknown) => {
        // It is told, and known to be so in memory; the book writes it later.
        log.warn({ target: target.name, problem: messageOf(error) }, 'that a notification was sent is not written yet');
      });
      return true;
    } catch (error) {
      if (this.#ending.signal.aborted) return false;
      const problem = messageOf(error);
      const asked = error instanceof Undelivered ? error.retryAfterMs : null;
      const before = this.state();
      const failures = before.failures + 1;
      this.#pausedUntilMs = nowMs() + pauseMs(failures, random, asked);
      for (const { thread } of message.items) {
        const times = (this.#refused.get(thread.key)?.times ?? 0) + 1;
        this.#refused.set(thread.key, { times, untilMs: nowMs() + pauseMs(times, random, asked) });
      }
      // The same again and again is said once.
      const isNews = before.lastError !== problem || before.failures === 0;
      if (isNews)
        log.warn({ target: target.name, problem }, 'a notification could not be delivered; it is tried again');
      await inTurn(() =>
        book.note({
          target: [
            target.name,
            { ...this.state(), lastErrorMs: nowMs(), lastError: problem, failures, failed: before.failed + 1 },
          ],
          ...(isNews && { log: entry('failed', problem) }),
        }),
      );
      return false;
    }
  }

  async #giveUp(): Promise<void> {
    const { policy, book, nowMs, inTurn, log } = this.#options;
    const items = toGiveUp(this.waiting(), nowMs(), policy.retryFor, policy.mostWaiting);
    if (items.length === 0) return;
    log.warn({ target: this.name, count: items.length }, 'notifications were given up: too old, or too many');
    await inTurn(async () => {
      const before = this.state();
      const dropped = before.dropped + items.length;
      const untoldDrops = before.untoldDrops + items.length;
      await book.note({
        threads: this.#toldNow(items, nowMs(), true),
        target: [this.name, { ...before, dropped, untoldDrops }],
        log: {
          atMs: nowMs(),
          target: this.name,
          what: 'given up',
          subject: items.length === 1 ? items[0]!.thread.title : `${items.length} messages`,
          agent: null,
          result: 'given up',
          answer: before.lastError ?? '',
        },
      });
    });
  }

  /** The threads as they are now, with what was told of them as they were then. */
  #toldNow(items: readonly Item[], atMs: number, dropped = false): Thread[] {
    const out: Thread[] = [];
    for (const { thread } of items) {
      const now = this.#options.book.threads.get(thread.key);
      if (now === undefined) continue;
      const known = toldOf(thread, this.name, atMs, dropped);
      out.push({ ...now, told: { ...now.told, [this.name]: known } });
    }
    return out;
  }

  #isHeld(key: string): boolean {
    const held = this.#refused.get(key);
    return held !== undefined && held.untilMs > this.#options.nowMs();
  }

  #listener(): Listener {
    const { config, policy } = this.#options;
    const { name, minimalSeverity } = config;
    return { name, minimalSeverity, sinceMs: this.state().sinceMs, holdMs: policy.holdBack };
  }
}

/** Sends a test to a target; throws what went wrong. */
export async function sendTest(target: Target, naming: Naming, nowMs: number, signal: AbortSignal): Promise<string> {
  const thread: Thread = {
    key: `test:${nowMs}`,
    kind: 'incident',
    base: 'test:',
    agent: null,
    site: 'test',
    state: 'closed',
    severity: 'info',
    title: 'a test: nothing is wrong',
    subject: 'test',
    lines: ['Somebody asked for it. That you read this shows that notifications arrive.'],
    changes: [],
    series: 0,
    wakes: true,
    openedMs: nowMs,
    reopenedMs: nowMs,
    closedMs: nowMs,
    changedMs: nowMs,
    dueMs: nowMs,
    late: false,
    episodes: [],
    count: 1,
    told: {},
  };
  const message: Message = { kind: 'one', items: [{ thread, change: 'was' }] };
  const said = wordsOf(message, target.name, naming, nowMs);
  const words = { ...said, headline: 'Test', oneLine: 'Test', text: said.text.replace(said.headline, 'Test') };
  return target.send({ ...words, message, naming, atMs: nowMs, dropped: 0 }, signal);
}
