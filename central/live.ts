/**
 * Full-rate values on the central's side: one signed `watch` an agent, renewed while somebody looks, and `fetch` of
 * what the agent still holds. Nothing of it is stored.
 */
import { randomUUID } from 'node:crypto';
import type { Timers } from '../shared/clock.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { SeriesId } from '../shared/series.ts';
import { unpackPayload } from '../shared/transport/compress.ts';
import type { Command } from '../shared/trust/messages.ts';
import { decodeLive, RAW_STAYS } from '../shared/wire/live.ts';
import type { Audit, FetchedSeries, LiveTick, LiveValues, LiveWatcher } from './api.ts';

const WATCH_MS = 60_000;
const RENEW_MS = 25_000;
/** A watch that nothing answers is said again as often: its agent may just be starting. */
const REPEAT_MS = 2_500;
const FETCH_TIMEOUT_MS = 15_000;
const INFLATED_BYTES = 256 * 1024;
/** Values of one fetch: an hour of 100 series at 1 Hz. */
const FETCHED_VALUES = 400_000;

export interface LiveOptions {
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** Signs the command and publishes it on the agent's down/command. */
  readonly send: (command: Command) => Promise<void>;
  /** Each time that full-rate values left a machine, or would not. */
  readonly audit: Audit;
}

interface Watcher extends LiveWatcher {
  readonly series: readonly SeriesId[];
  readonly fromMs: number;
  /** Of what came while it looked, whoever it was for. */
  gotBytes: number;
}

interface Watched {
  /** Id of the command in force. */
  request: string;
  readonly watchers: Set<Watcher>;
  /** Whether the agent answered since this was last looked at. */
  heard: boolean;
  timer: unknown;
}

interface Fetching {
  readonly agent: string;
  gotBytes: number;
  readonly found: Map<SeriesId, { timesMs: number[]; values: (number | null)[] }>;
  count: number;
  readonly resolve: (series: readonly FetchedSeries[]) => void;
  readonly reject: (error: unknown) => void;
}

export class CentralLive implements LiveValues {
  readonly #options: LiveOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #fetching = new Map<string, Fetching>();

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  watch(agent: string, series: readonly SeriesId[], who: LiveWatcher, signal: AbortSignal): void {
    if (signal.aborted) return;
    const watched = this.#watched.get(agent) ?? { request: '', watchers: new Set(), heard: false, timer: null };
    this.#watched.set(agent, watched);
    const watcher: Watcher = { ...who, series, fromMs: this.#options.nowMs(), gotBytes: 0 };
    watched.watchers.add(watcher);
    this.#renew(agent, watched);
    signal.addEventListener(
      'abort',
      () => {
        watched.watchers.delete(watcher);
        const { by, fromMs, gotBytes } = watcher;
        const range = { fromMs, toMs: this.#options.nowMs() };
        if (gotBytes > 0) this.#note(by, 'raw.watched', agent, aboutRaw(series, range, gotBytes, watched.request));
        this.#renew(agent, watched);
      },
      { once: true },
    );
  }

  fetch(
    agent: string,
    series: readonly SeriesId[],
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    by: string,
  ): Promise<readonly FetchedSeries[]> {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const end = (done: () => void): void => {
        this.#options.timers.cancel(timer);
        this.#options.timers.cancel(repeat);
        const gotBytes = this.#fetching.get(id)?.gotBytes ?? 0;
        this.#fetching.delete(id);
        // Also of what came before it failed.
        if (gotBytes > 0) this.#note(by, 'raw.fetched', agent, aboutRaw(series, { fromMs, toMs }, gotBytes, id));
        done();
      };
      const timer = this.#options.timers.after(FETCH_TIMEOUT_MS, () => {
        end(() =>
          reject(new PicketError('agent.offline', `agent ${agent} did not answer in ${FETCH_TIMEOUT_MS / 1000} s`)),
        );
      });
      this.#fetching.set(id, {
        agent,
        gotBytes: 0,
        found: new Map(),
        count: 0,
        resolve: (found) => end(() => resolve(found)),
        reject: (error) => {
          if (error instanceof PicketError && error.code === 'raw.refused') {
            this.#note(by, 'raw.refused', agent, `fetch of ${series.length} series: ${error.message}`);
          }
          end(() => reject(error));
        },
      });
      let repeat: unknown = null;
      // An agent that has just connected does not know the time yet and lets it pass; each id is answered once.
      const ask = (): void => {
        repeat = this.#options.timers.after(REPEAT_MS, () => {
          if (this.#fetching.get(id)?.gotBytes === 0) ask();
        });
        this.#send(agent, id, { fetch: { series, fromMs, toMs } }).catch((error: unknown) => {
          this.#fetching.get(id)?.reject(new PicketError('agent.offline', `agent ${agent}: ${messageOf(error)}`));
        });
      };
      ask();
    });
  }

  /** A payload of up/live of this agent. Throws `payload.invalid`. */
  receive(agent: string, payload: Uint8Array): void {
    const live = decodeLive(unpackPayload(payload, INFLATED_BYTES));
    const watched = this.#watched.get(agent);
    if (watched !== undefined && live.request === watched.request) {
      watched.heard = true;
      if (live.error !== '') {
        this.#refused(agent, watched, refusalOf(agent, live.error));
        return;
      }
      const tick: LiveTick = {
        timeMs: live.wallMs,
        series: live.series,
        values: live.values.map((value) => (Number.isFinite(value) ? value : null)),
      };
      for (const watcher of watched.watchers) {
        watcher.gotBytes += payload.length;
        watcher.onTick(tick);
      }
      return;
    }
    const fetching = this.#fetching.get(live.request);
    if (fetching === undefined || fetching.agent !== agent) return;
    if (live.error !== '') {
      fetching.reject(refusalOf(agent, live.error));
      return;
    }
    if (live.blocks.length > 0) fetching.gotBytes += payload.length;
    for (const block of live.blocks) {
      fetching.count += block.values.length;
      if (fetching.count > FETCHED_VALUES) {
        fetching.reject(
          new PicketError('payload.too_large', `more than ${FETCHED_VALUES} values; ask for less at once`),
        );
        return;
      }
      const series = fetching.found.get(block.series) ?? { timesMs: [], values: [] };
      fetching.found.set(block.series, series);
      series.timesMs.push(...block.timesMs);
      series.values.push(...block.values.map((value) => (Number.isFinite(value) ? value : null)));
    }
    if (live.last)
      fetching.resolve([...fetching.found].map(([series, { timesMs, values }]) => ({ series, timesMs, values })));
  }

  close(): void {
    for (const { timer } of this.#watched.values()) this.#options.timers.cancel(timer);
    this.#watched.clear();
    for (const fetching of [...this.#fetching.values()]) {
      fetching.reject(new PicketError('agent.offline', 'the central stops'));
    }
  }

  /** Who looks is told, and looks no longer: what is forbidden is not asked for again and again. */
  #refused(agent: string, watched: Watched, problem: PicketError): void {
    for (const { by, series, onRefused } of [...watched.watchers]) {
      if (problem.code === 'raw.refused') {
        this.#note(by, 'raw.refused', agent, `watch of ${series.length} series: ${problem.message}`);
      }
      onRefused(problem);
    }
  }

  #note(actor: string, action: string, target: string, detail: string): void {
    this.#options.audit.add({ actor, action, target, detail }).catch((error: unknown) => {
      this.#options.log.error(
        { actor, action, target, detail, problem: messageOf(error) },
        'the audit could not be kept',
      );
    });
  }

  /** Asks the agent for what all watchers of it want together. */
  #renew(agent: string, watched: Watched): void {
    this.#options.timers.cancel(watched.timer);
    const series = [...new Set([...watched.watchers].flatMap((watcher) => watcher.series))].slice(
      0,
      limits.watchedSeries,
    );
    // A watch takes the place of the one before; an empty one ends it.
    watched.request = randomUUID();
    if (series.length === 0) this.#watched.delete(agent);
    else this.#keep(agent, watched, series, RENEW_MS);
    this.#ask(agent, watched, series);
  }

  /** Until it is renewed, asks again when nothing comes. */
  #keep(agent: string, watched: Watched, series: readonly SeriesId[], leftMs: number): void {
    watched.heard = false;
    watched.timer = this.#options.timers.after(REPEAT_MS, () => {
      if (leftMs <= REPEAT_MS) {
        this.#renew(agent, watched);
        return;
      }
      if (!watched.heard) this.#ask(agent, watched, series);
      this.#keep(agent, watched, series, leftMs - REPEAT_MS);
    });
  }

  #ask(agent: string, watched: Watched, series: readonly SeriesId[]): void {
    void this.#send(agent, watched.request, { watch: series }).catch((error: unknown) => {
      this.#options.log.debug({ agent, problem: messageOf(error) }, 'watch could not be sent');
    });
  }

  #send(agent: string, id: string, what: Command['what']): Promise<void> {
    const madeMs = Math.round(this.#options.nowMs());
    return this.#options.send({ command: 1, id, agent, madeMs, expiresMs: madeMs + WATCH_MS, what });
  }
}

function refusalOf(agent: string, error: string): PicketError {
  const code = error.startsWith(RAW_STAYS) ? 'raw.refused' : 'auth.denied';
  return new PicketError(code, `agent ${agent}: ${error}`);
}

/** Which series, from when to when, how much; and the request, by which the machine's own log names it. */
function aboutRaw(
  series: readonly SeriesId[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  sizeBytes: number,
  request: string,
): string {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  return `${sizeBytes} bytes, ${from} to ${to}, request ${request}, ${series.length} series: ${series.join(' ')}`;
}
