/**
 * Mutes that are asked for here: signed commands that are said again until the machine reports them, refuses them, or
 * their time is over. A machine that is offline hears of it when it is back. What is in force only the machine knows;
 * it reports it (`Reported.mutes`).
 *
 * Each time a command is said it is signed anew under the same id, with an expiry that the agent accepts; the agent does
 * it once. An order takes the place of those that it makes void, so that no older one arrives after it.
 */
import { randomUUID } from 'node:crypto';
import type { Timers } from '../shared/clock.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import { DAY_MS, MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { type MuteRequest, muteLimits } from '../shared/mute.ts';
import type { Command, Reported } from '../shared/trust/messages.ts';
import { COMMAND_LIFE_MS } from '../shared/trust/verify.ts';
import type { MuteOrder, Mutes } from './api.ts';
import type { Documents } from './store/store.ts';

const ORDERS = 'mute-orders';
/** Of one machine, waiting or just done. */
const MOST_ORDERS = 32;
/** A command's life, less what the agent's idea of our time may lag behind. */
const LIFE_MS = COMMAND_LIFE_MS - 10 * MINUTE_MS;
/** The answer to a command that was heard comes within a second. */
const REPEAT_MS = 15_000;
/** The end of a mute is waited for no longer. */
const UNMUTE_MS = DAY_MS;
/** What became of an order is shown for as long. */
const SHOWN_MS = 10 * MINUTE_MS;

export interface CentralMutesOptions {
  readonly documents: Documents;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** Signs the command and publishes it on the agent's down/command. */
  readonly send: (command: Command) => Promise<void>;
}

export class CentralMutes implements Mutes {
  readonly #options: CentralMutesOptions;
  readonly #orders = new Map<string, MuteOrder[]>();
  #timer: unknown = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CentralMutesOptions) {
    this.#options = options;
  }

  /** Takes up what waited when the central ended. */
  async start(): Promise<void> {
    for (const { key, value } of await this.#options.documents.list<MuteOrder[]>(ORDERS)) this.#orders.set(key, value);
    this.#repeat();
  }

  mute(agent: string, request: MuteRequest): Promise<MuteOrder> {
    const { rule, series, reason, by, forMs } = request;
    return this.#order(agent, { rule, series, reason, by, forMs }, forMs);
  }

  unmute(agent: string, what: { rule: string | null; series: string | null; by: string }): Promise<MuteOrder> {
    return this.#order(agent, { ...what, reason: '', forMs: null }, UNMUTE_MS);
  }

  orders(agent: string): readonly MuteOrder[] {
    this.#settle(agent);
    return this.#orders.get(agent) ?? [];
  }

  /** The agent says what it did and refused. */
  reported(agent: string, { commandsDone, refusals }: Reported): void {
    const orders = this.#orders.get(agent);
    if (orders === undefined || orders.every(({ state }) => state !== 'waiting')) return;
    const done = new Set(commandsDone);
    const nowMs = this.#options.nowMs();
    this.#set(
      agent,
      orders.map((order): MuteOrder => {
        if (order.state !== 'waiting') return order;
        if (done.has(order.id)) return { ...order, state: 'done', settledMs: nowMs };
        // One that came too late is said again with another expiry; an agent that cannot do it never will.
        const refusal = refusals.find(
          ({ what, code }) => what === `command:${order.id}` && code !== 'manifest.expired',
        );
        return refusal === undefined
          ? order
          : { ...order, state: 'refused', problem: refusal.message, settledMs: nowMs };
      }),
    );
  }

  /** The agent is there: what waits for it is said at once. */
  online(agent: string): void {
    this.#say(agent);
  }

  async close(): Promise<void> {
    this.#options.timers.cancel(this.#timer);
    await this.#writing;
  }

  async #order(
    agent: string,
    about: Pick<MuteOrder, 'rule' | 'series' | 'reason' | 'by' | 'forMs'>,
    lifeMs: number,
  ): Promise<MuteOrder> {
    const madeMs = Math.round(this.#options.nowMs());
    const order: MuteOrder = {
      ...about,
      id: randomUUID(),
      madeMs,
      endsMs: madeMs + lifeMs,
      state: 'waiting',
      problem: null,
      settledMs: null,
    };
    const { rule, series, forMs } = about;
    const all = forMs === null && rule === null && series === null;
    const others = this.orders(agent).filter(
      (one) => one.state !== 'waiting' || (!all && (one.rule !== rule || one.series !== series)),
    );
    if (others.filter(({ state }) => state === 'waiting').length >= muteLimits.most) {
      throw new PicketError('conflict', `${muteLimits.most} orders wait for agent ${agent} already.`);
    }
    this.#set(agent, [...others.slice(-MOST_ORDERS), order]);
    await this.#writing;
    this.#say(agent);
    return order;
  }

  #repeat(): void {
    for (const agent of this.#orders.keys()) {
      this.#settle(agent);
      this.#say(agent);
    }
    this.#timer = this.#options.timers.after(REPEAT_MS, () => this.#repeat());
  }

  /** Ends what was waited for too long, and forgets what was shown. */
  #settle(agent: string): void {
    const nowMs = this.#options.nowMs();
    const orders = this.#orders.get(agent) ?? [];
    const kept = orders
      .map((order): MuteOrder => {
        const late = order.state === 'waiting' && order.endsMs <= nowMs;
        return late ? { ...order, state: 'expired', settledMs: nowMs } : order;
      })
      .filter(({ settledMs }) => settledMs === null || nowMs - settledMs < SHOWN_MS);
    if (kept.length !== orders.length || kept.some((order, i) => order !== orders[i])) this.#set(agent, kept);
  }

  #set(agent: string, orders: MuteOrder[]): void {
    if (orders.length === 0) this.#orders.delete(agent);
    else this.#orders.set(agent, orders);
    const { documents, log } = this.#options;
    this.#writing = this.#writing
      .then(() => documents.put(ORDERS, agent, orders.length === 0 ? null : orders))
      .catch((error: unknown) => log.error({ agent, problem: messageOf(error) }, 'orders to mute could not be kept'));
  }

  #say(agent: string): void {
    const { nowMs, send, log } = this.#options;
    for (const { id, state, madeMs, endsMs, rule, series, reason, by, forMs } of this.#orders.get(agent) ?? []) {
      if (state !== 'waiting' || endsMs <= nowMs()) continue;
      const expiresMs = Math.min(endsMs, Math.round(nowMs()) + LIFE_MS);
      const what: Command['what'] =
        forMs === null ? { unmute: { rule, series } } : { mute: { forMs, rule, series, reason, by } };
      send({ command: 1, id, agent, madeMs, expiresMs, what }).catch((error: unknown) => {
        log.debug({ agent, problem: messageOf(error) }, 'an order to mute could not be sent; it is said again');
      });
    }
  }
}
