/**
 * Configurations of the fleet: takes what people write, moves new versions over the machines (`stages.ts`), and has each
 * machine told what it is to go by (`placing.ts`). Every change and every transition is in the audit log.
 *
 *     text ─► judged ─► version of a layer ─► rollout ─► layers of each machine ─► signed ─► manifest
 *                                                ▲── applied, refused, reverted, away ◄── reports ◄──┘
 */
import type { Timers } from '../../shared/clock.ts';
import { configurationForm, type Layer as ManagedLayer, mergeLayers, originsOf } from '../../shared/config/managed.ts';
import { formatProblems, type LocatedProblem } from '../../shared/config/yaml.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { Presence, Reported, SignedEnvelope } from '../../shared/trust/messages.ts';
import type { AgentState, Audit } from '../api.ts';
import type { UnsignedRelease } from '../keys/release-signing.ts';
import type { CentralKeys } from '../keys.ts';
import type { ConfigurationEntry } from '../manifests.ts';
import type { AgentId, Documents } from '../store/store.ts';
import type {
  AgentConfiguration,
  ConfigurationChange,
  ConfigurationLayer,
  ConfigurationOrder,
  Configurations,
  ConfigurationTimes,
  ConfigurationVersion,
  Scope,
} from './api.ts';
import { type Layer, Layers, layerProblems } from './layers.ts';
import { type MadeConfiguration, Placing } from './placing.ts';
import { type ConfigurationEvent, ended, hasNew, move, opened } from './stages.ts';

/** How often time is looked at. */
const TICK_MS = 30_000;
const SCOPE = /^(all|(cohort|agent):[A-Za-z0-9_-]{1,64})$/;
const COMMENT = 500;

export interface ConfigurationOptions {
  readonly documents: Documents;
  readonly keys: Pick<CentralKeys, 'sign' | 'canSign' | 'list'>;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  readonly audit: Audit;
  readonly times: ConfigurationTimes;
  /** Machines that are not retired. */
  readonly agents: () => readonly Pick<AgentState, 'id' | 'presence' | 'reported'>[];
  readonly cohortOf: (agent: AgentId) => string | null;
  readonly name: (agent: AgentId, entry: ConfigurationEntry | null) => Promise<boolean>;
  /** What a machine is to go by, or what it says of it, is otherwise. */
  readonly changed?: (agent: AgentId) => void;
}

export class ConfigurationService implements Configurations {
  readonly #options: ConfigurationOptions;
  readonly #layers: Layers;
  readonly #placing: Placing;
  /** Epoch that each machine was last seen with: another one is another start. */
  readonly #epochs = new Map<AgentId, string>();
  #chain: Promise<unknown> = Promise.resolve();
  #timer: unknown = null;
  #closed = false;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    this.#layers = new Layers(options.documents);
    this.#placing = new Placing(options);
  }

  /** Loads what was there, and names it again where a stop came between. */
  async start(): Promise<void> {
    await this.#layers.load();
    await this.#placing.load();
    await this.#inOrder(() => this.#placeAll());
    this.#tickSoon();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.timers.cancel(this.#timer);
    await this.#chain;
  }

  async layers(): Promise<readonly ConfigurationLayer[]> {
    return await Promise.all(this.#layers.scopes().map((scope) => this.layer(scope)));
  }

  async layer(scope: Scope): Promise<ConfigurationLayer> {
    const { newest, stable, rollout } = this.#layers.get(checked(scope));
    const wanted = await this.#layers.version(scope, this.#layers.wanted(scope));
    return { scope, newest, stable, rollout, wanted };
  }

  versions(scope: Scope): Promise<readonly ConfigurationVersion[]> {
    return this.#layers.versions(checked(scope));
  }

  check(scope: Scope, text: string): readonly LocatedProblem[] {
    const agents = this.#agentsOf(checked(scope)).map(({ id, reported }) => ({
      agent: id,
      version: reported?.agentVersion,
    }));
    return layerProblems(text, agents);
  }

  change(scope: Scope, { text, comment, seen }: ConfigurationChange, by: string): Promise<ConfigurationLayer> {
    return this.#inOrder(async () => {
      const problems = this.check(scope, text);
      const first = problems[0];
      if (first !== undefined) {
        const { line, column } = first;
        throw new PicketError('config.invalid', formatProblems(scope, problems), { line, column });
      }
      const before = this.#layers.get(scope);
      if (before.newest !== seen) {
        throw new PicketError(
          'conflict',
          `${scope} was changed meanwhile: it is at version ${before.newest}, and you saw ${seen}.`,
        );
      }
      const wanted = await this.#layers.version(scope, this.#layers.wanted(scope));
      if ((wanted?.text ?? '') === text) throw new PicketError('conflict', 'the text is as it was.');
      return await this.#stage(scope, before, text, comment, by);
    });
  }

  revert(scope: Scope, version: number, by: string): Promise<ConfigurationLayer> {
    return this.#inOrder(async () => {
      const old = await this.#layers.version(checked(scope), version);
      if (old === null) throw new PicketError('not_found', `There is no version ${version} of ${scope}.`);
      // It was right when it was written; agents may be of other versions now.
      const problems = this.check(scope, old.text);
      if (problems.length > 0) throw new PicketError('config.invalid', formatProblems(scope, problems));
      return await this.#stage(scope, this.#layers.get(scope), old.text, `as version ${version}`, by);
    });
  }

  order(scope: Scope, order: ConfigurationOrder, by: string): Promise<ConfigurationLayer> {
    return this.#inOrder(async () => {
      const types = { pause: 'paused', resume: 'resumed', promote: 'promoted', rollback: 'rolledBack' } as const;
      if (!(await this.#move(checked(scope), { type: types[order], by }))) {
        throw new PicketError('conflict', `${scope} is in a stage where this changes nothing.`);
      }
      return await this.layer(scope);
    });
  }

  async agent(agent: AgentId): Promise<AgentConfiguration> {
    const reported = this.#options.agents().find(({ id }) => id === agent)?.reported ?? null;
    const { current, refused } = this.#placing.get(agent);
    const layers = await this.#layersOf(agent);
    const configured = reported?.configuration;
    const runs = reported !== null && isRunning(reported, current);
    const state = ((): AgentConfiguration['state'] => {
      if (configured?.managed === false) return 'not managed';
      if (reported !== null && !reported.supports.some(({ kind }) => kind === configurationForm.kind)) {
        return 'unsupported';
      }
      if (refused !== null) return 'refused';
      if (current === null) return 'none';
      if (current.releaseSha256 === '') return 'waits for key';
      if (!runs) return 'sent';
      return configured?.trial === true ? 'trial' : 'applied';
    })();
    return {
      agent,
      cohort: this.#options.cohortOf(agent) ?? '',
      state,
      version: current?.version ?? 0,
      running: configured?.version ?? 0,
      layers: Object.fromEntries(layers.map(({ name, version }) => [name, version])),
      values: mergeLayers(layers),
      origins: originsOf(layers),
      left: configured?.left ?? [],
      problem: configured?.problem ?? refused?.reason ?? null,
    };
  }

  /** Takes in what an agent reports on up/reported. */
  onReported(agent: AgentId, reported: Reported): Promise<void> {
    return this.#quietly(async () => {
      const { current, refused } = this.#placing.get(agent);
      const sent = current?.releaseSha256 ?? '';
      const runs = isRunning(reported, current);
      if (sent !== '' && runs && refused === null) await this.#moveAll(agent, { type: 'applied', agent });
      const loss = sent === '' || runs || refused !== null ? null : lossOf(reported, sent);
      if (loss !== null) {
        await this.#options.audit.add({ actor: agent, action: 'configuration.lost', target: agent, detail: loss });
        await this.#placing.refuse(agent, loss);
        await this.#moveAll(agent, { type: 'lost', agent, reason: loss });
      }
      // A manifest may be there that was not.
      await this.#place(agent);
      this.#options.changed?.(agent);
    });
  }

  onPresence(agent: AgentId, { online, epoch }: Presence): Promise<void> {
    return this.#quietly(async () => {
      await this.#moveAll(agent, { type: online ? 'back' : 'away', agent });
      const before = this.#epochs.get(agent);
      if (!online || before === epoch) return;
      this.#epochs.set(agent, epoch);
      if (before !== undefined) await this.#moveAll(agent, { type: 'started', agent });
    });
  }

  waiting(): readonly UnsignedRelease[] {
    return this.#placing.waiting();
  }

  /** A release that was signed elsewhere; false where it does not wait here. */
  signed(envelope: SignedEnvelope): Promise<boolean> {
    return this.#inOrder(async () => {
      const agent = await this.#placing.signed(envelope);
      if (agent !== null) await this.#place(agent);
      return agent !== null;
    });
  }

  /** The list of keys, or what machines belong to, is another: all is looked at again. */
  relook(): Promise<void> {
    return this.#inOrder(() => this.#placeAll());
  }

  async #stage(scope: Scope, before: Layer, text: string, comment: string, by: string): Promise<ConfigurationLayer> {
    const { nowMs, times, audit } = this.#options;
    const version = before.newest + 1;
    const made: ConfigurationVersion = {
      scope,
      version,
      text,
      author: by,
      comment: comment.slice(0, COMMENT),
      atMs: nowMs(),
    };
    const agents = this.#agentsOf(scope).map(({ id, presence }) => ({ agent: id, online: presence === 'online' }));
    const rollout = opened({ scope, version, from: before.stable, times }, agents, nowMs());
    await audit.add({
      actor: by,
      action: 'configuration.change',
      target: scope,
      detail: `version ${version}${comment === '' ? '' : `: ${comment}`}`,
    });
    await this.#keep(scope, { newest: version, stable: before.stable, rollout }, 'central', made);
    return await this.layer(scope);
  }

  async #moveAll(agent: AgentId, event: ConfigurationEvent): Promise<void> {
    for (const scope of this.#layers.scopes()) {
      const { rollout } = this.#layers.get(scope);
      if (rollout === null || ended(rollout)) continue;
      // What it says of a configuration is of this layer only where it was given its version.
      const about = event.type === 'applied' || event.type === 'lost';
      if (about && this.#placing.get(agent).current?.layers[scope] !== rollout.version) continue;
      await this.#move(scope, event);
    }
  }

  async #move(scope: Scope, event: ConfigurationEvent): Promise<boolean> {
    const layer = this.#layers.get(scope);
    if (layer.rollout === null) return false;
    const next = move(layer.rollout, event, this.#options.nowMs());
    if (next === null) return false;
    await this.#keep(scope, { ...layer, rollout: next }, 'by' in event ? event.by : 'central');
    return true;
  }

  /** Durable first, then done: after a stop between the two it is done at the next start. */
  async #keep(scope: Scope, layer: Layer, actor: string, made?: ConfigurationVersion): Promise<void> {
    const { audit, log } = this.#options;
    const before = this.#layers.get(scope).rollout;
    const rollout = layer.rollout!;
    const { stage, version, from, reason } = rollout;
    const stable = stage === 'done' ? version : stage === 'reverted' ? from : layer.stable;
    await this.#layers.set(scope, { ...layer, stable }, made);
    const moved = before?.version !== version || before.stage !== stage || before.pausedMs !== rollout.pausedMs;
    if (moved) {
      const detail = `version ${version}: ${stage}: ${reason}`;
      await audit.add({ actor, action: 'configuration.rollout', target: scope, detail });
      log.info({ scope, version, stage, reason }, 'configuration');
    }
    const lost = Object.values(rollout.members).filter((one) => before?.members[one.agent]?.lost !== one.lost);
    const touched = moved ? this.#agentsOf(scope).map(({ id }) => id) : lost.map(({ agent }) => agent);
    for (const agent of touched) await this.#place(agent);
  }

  async #placeAll(): Promise<void> {
    for (const { id } of this.#options.agents()) {
      await this.#place(id).catch((error: unknown) => {
        this.#options.log.warn({ agent: id, problem: messageOf(error) }, 'its configuration could not be placed');
      });
    }
  }

  async #place(agent: AgentId): Promise<void> {
    const layers = await this.#layersOf(agent);
    const before = this.#placing.get(agent);
    if (layers.length === 0 && before.current === null) return;
    const told = await this.#placing.place(agent, layers);
    if (!told) return;
    for (const scope of this.#layers.scopes()) {
      const { rollout } = this.#layers.get(scope);
      if (rollout === null || ended(rollout) || rollout.members[agent]?.toldMs !== null) continue;
      if (this.#placing.get(agent).current?.layers[scope] !== rollout.version) continue;
      await this.#move(scope, { type: 'told', agent });
    }
  }

  /** What the machine is to go by, lowest first. */
  async #layersOf(agent: AgentId): Promise<readonly (ManagedLayer & { readonly version: number })[]> {
    const layers: (ManagedLayer & { readonly version: number })[] = [];
    for (const scope of this.#scopesOf(agent)) {
      const { stable, rollout } = this.#layers.get(scope);
      const running = rollout !== null && (!ended(rollout) || rollout.members[agent] !== undefined);
      const old = running ? rollout.from : stable;
      const version = running && hasNew(rollout, agent) ? rollout.version : old;
      if (version === 0) continue;
      layers.push({ name: scope, version, values: await this.#layers.values(scope, version) });
    }
    return layers;
  }

  #scopesOf(agent: AgentId): readonly Scope[] {
    const cohort = this.#options.cohortOf(agent);
    return ['all', ...(cohort === null ? [] : [`cohort:${cohort}`]), `agent:${agent}`];
  }

  #agentsOf(scope: Scope): ReturnType<ConfigurationOptions['agents']> {
    return this.#options.agents().filter(({ id }) => this.#scopesOf(id).includes(scope));
  }

  #tickSoon(): void {
    const { timers, times, log } = this.#options;
    const waitMs = Math.max(100, Math.min(TICK_MS, times.settleMs / 4, times.backMs / 4));
    this.#timer = timers.after(waitMs, () => {
      const tick = async (): Promise<void> => {
        for (const scope of this.#layers.scopes()) {
          const { rollout } = this.#layers.get(scope);
          if (rollout !== null && !ended(rollout)) await this.#move(scope, { type: 'tick' });
        }
      };
      this.#inOrder(tick)
        .catch((error: unknown) => log.error({ problem: messageOf(error) }, 'configurations could not be moved'))
        .finally(() => {
          if (!this.#closed) this.#tickSoon();
        });
    });
  }

  #quietly(work: () => Promise<void>): Promise<void> {
    return this.#inOrder(work).catch((error: unknown) => {
      this.#options.log.error({ problem: messageOf(error) }, 'what a machine says of its configuration was not kept');
    });
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}

function checked(scope: Scope): Scope {
  if (SCOPE.test(scope) && (scope === 'all' || ID_PATTERN.test(scope.slice(scope.indexOf(':') + 1)))) return scope;
  throw new PicketError('usage.invalid', `\`${scope.slice(0, 80)}\` is none of all, cohort:NAME, agent:ID.`);
}

/** It took it, and started with it: between the two the one before is still in force. */
function isRunning({ applied, configuration }: Reported, made: MadeConfiguration | null): boolean {
  if (made === null || made.releaseSha256 === '' || configuration?.version !== made.version) return false;
  return applied.some(({ slot, releaseSha256 }) => {
    return slot === configurationForm.kind && releaseSha256 === made.releaseSha256;
  });
}

/** Why the machine does not run what it was sent: it refuses it, or took it back; null: it does not say so. */
function lossOf({ refusals, reverted = [] }: Reported, releaseSha256: string): string | null {
  const taken = reverted.find((each) => each.releaseSha256 === releaseSha256);
  if (taken !== undefined) return `taken back: ${taken.reason}`;
  const refusal = refusals.find(({ what }) => what === `release:${releaseSha256}`);
  return refusal === undefined ? null : `refused: ${refusal.message}`;
}
