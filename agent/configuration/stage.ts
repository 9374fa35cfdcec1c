/**
 * What the central configures, while the agent runs: judges a new configuration before it is taken, brings it into force
 * when it is durable, and gives it up where the machine does not come along with it.
 *
 *     apply ─ activate ─► schema, secrets, new inputs read once ─► durable ─► orderly restart of the agent in its process
 *                                                                                │ windows recorded, outbox kept
 *                                 apply.broken ◄─ inputs fail, central not reached ◄──┘
 */
import { isDeepStrictEqual } from 'node:util';
import type { Timers } from '../../shared/clock.ts';
import { type ManagedConfiguration, parseManaged } from '../../shared/config/managed.ts';
import { PicketError } from '../../shared/errors.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { ReportedConfiguration } from '../../shared/trust/messages.ts';
import { probeInput } from '../commands/probe.ts';
import { type AgentConfig, chooseInputs, type InputKinds } from '../config.ts';
import type { Host } from '../inputs/input.ts';
import type { Booted } from './boot.ts';
import { changedInputs, effectiveConfiguration, type LocalConfiguration, touchesConnection } from './effective.ts';

/** Inputs that are new or otherwise have so long to come up. */
const INPUTS_MS = 2 * MINUTE_MS;
/** Where the connection depends on what is new, the central is to be reached in this time. */
const REACH_MS = 10 * MINUTE_MS;
/** Keys that a report names. */
const MOST_LEFT = 32;

export interface ConfigurationOptions {
  readonly local: LocalConfiguration;
  readonly booted: Booted;
  readonly kinds: InputKinds;
  readonly host: Host;
  readonly timers: Timers;
  readonly log: Log;
  /** Another configuration is durable: the agent is to start anew with it. */
  readonly restart: () => void;
}

/** What of the agent tells whether it came up. */
export interface Watched {
  /** Since this start. */
  readonly reached: () => boolean;
  readonly inputs: () => readonly { name: string; state: string; lastError: { message: string } | null }[];
  readonly broken: (reason: string) => void;
}

interface Next {
  readonly config: AgentConfig;
  readonly sha256: string | null;
}

export class ConfigurationStage {
  readonly #options: ConfigurationOptions;
  readonly #timers: unknown[] = [];
  readonly #stop = new AbortController();
  /** What was judged last, and is in force when it is durable. */
  #next: Next | null = null;
  #managed: Booted['managed'];
  #left: readonly string[];

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    this.#managed = options.booted.managed;
    this.#left = options.booted.left;
  }

  /** Whether the machine's own file lets the central say anything. */
  get managed(): boolean {
    return this.#options.local.config.managed;
  }

  report(): ReportedConfiguration {
    const { booted } = this.#options;
    return {
      managed: this.managed,
      version: this.#managed?.content.version ?? 0,
      trial: booted.before !== null,
      left: this.#left.slice(0, MOST_LEFT),
      ...(booted.problem === null ? {} : { problem: booted.problem }),
    };
  }

  /**
   * Judges a configuration. Throws where it is not fit for this machine: what is in force stays.
   * @param again it ran here before: inputs that do not answer now are no reason against it
   */
  async activate(bytes: Uint8Array, again: boolean): Promise<void> {
    const { local, booted, kinds } = this.#options;
    if (!this.managed) {
      throw new PicketError(
        'manifest.unsupported',
        "this machine's own file takes no configuration (`managed: false`)",
      );
    }
    const sha256 = sha256Hex(bytes);
    const content = parseManaged(bytes);
    if (sha256 === booted.managed?.sha256) {
      this.#next = { config: booted.config, sha256 };
      return;
    }
    const { config, left } = await effectiveConfiguration(local, content.values, kinds);
    if (!again) await this.#readNew(config);
    this.#next = { config, sha256 };
    // The same in other words is in force at once.
    if (isDeepStrictEqual(config, booted.config)) this.#adopt({ content, sha256 }, left);
  }

  /** What was judged is durable. */
  running(): void {
    const { booted, restart, log } = this.#options;
    const next = this.#next;
    if (next === null || isDeepStrictEqual(next.config, booted.config)) return;
    log.info({}, 'a new configuration of the central: the agent starts anew with it');
    restart();
  }

  /** The central says nothing any more: the machine's own file alone holds. */
  deactivate(): void {
    const { local, kinds, booted, restart } = this.#options;
    this.#next = null;
    effectiveConfiguration(local, null, kinds).then(
      ({ config }) => (isDeepStrictEqual(config, booted.config) ? this.#adopt(null, []) : restart()),
      // What is wrong with the own file is said by the start.
      () => restart(),
    );
  }

  /** The agent runs: a configuration on trial is held against what comes of it. */
  watch({ reached, inputs, broken }: Watched): void {
    const { booted, kinds, host, timers } = this.#options;
    const { before, config } = booted;
    if (before === null) return;
    const changed = new Set(
      changedInputs(before, config, kinds, host).flatMap(({ label, automatic }) => (automatic ? [] : [label])),
    );
    const look = (): void => {
      const failing = inputs().find(({ name, state }) => changed.has(name) && state !== 'ok');
      if (failing === undefined) return;
      broken(`input ${failing.name} does not work with it: ${failing.lastError?.message ?? failing.state}`);
    };
    if (changed.size > 0) this.#timers.push(timers.after(INPUTS_MS, look));
    if (!touchesConnection(before, config)) return;
    const hear = (): void => {
      if (!reached()) broken(`the central was not reached for ${REACH_MS / MINUTE_MS} min since it was applied`);
    };
    this.#timers.push(timers.after(REACH_MS, hear));
  }

  stop(): void {
    this.#stop.abort();
    for (const timer of this.#timers) this.#options.timers.cancel(timer);
  }

  #adopt(managed: { content: ManagedConfiguration; sha256: string } | null, left: readonly string[]): void {
    this.#managed = managed;
    this.#left = left;
  }

  /** Inputs that are new here are opened and read once: who names a device that is not there hears it at once. */
  async #readNew(config: AgentConfig): Promise<void> {
    const { booted, kinds, host } = this.#options;
    const ran = new Set(chooseInputs(booted.config.inputs, kinds, host).map(({ label }) => label));
    for (const input of chooseInputs(config.inputs, kinds, host)) {
      if (input.automatic || ran.has(input.label)) continue;
      const { problem } = await probeInput(input, host, this.#stop.signal);
      if (problem === null) continue;
      throw new PicketError('config.invalid', `inputs: ${input.label} does not work on this machine: ${problem}`);
    }
  }
}
