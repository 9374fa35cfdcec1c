/**
 * Versions of models as documents, counted up across the fleet: `model` by version, `model-of.<agent>` the versions of
 * one agent, `model-report` how each was judged. What each may become is said by `rollout.ts`.
 */
import type { ModelVersion } from './api.ts';
import type { EvaluationReport } from './evaluate/api.ts';
import { advance, type RolloutEvent } from './rollout.ts';
import type { AgentId, Documents } from './store/store.ts';

const REPORTS = 'model-report';
/** Newest versions that a list has; of an agent no more are kept: two months of two kinds, trained four times a day. */
const LISTED = 500;

export class ModelVersions {
  readonly #documents: Documents;
  readonly #changed: (agent: AgentId, version: number) => void;

  constructor(documents: Documents, changed: (agent: AgentId, version: number) => void) {
    this.#documents = documents;
    this.#changed = changed;
  }

  get(version: number): Promise<ModelVersion | null> {
    return this.#documents.get<ModelVersion>('model', keyOf(version));
  }

  /** How it was judged; null of versions from before that was kept. */
  report(version: number): Promise<EvaluationReport | null> {
    return this.#documents.get<EvaluationReport>(REPORTS, keyOf(version));
  }

  /** Newest first. */
  async list(agent?: AgentId): Promise<readonly ModelVersion[]> {
    const newest = { limit: LISTED, reverse: true };
    if (agent === undefined)
      return (await this.#documents.list<ModelVersion>('model', newest)).map(({ value }) => value);
    const versions = await this.#documents.list<number>(`model-of.${agent}`, newest);
    const models = await Promise.all(versions.map(({ value }) => this.get(value)));
    return models.filter((model) => model !== null);
  }

  /** The number that the next version gets. */
  async next(): Promise<number> {
    const newest = await this.#documents.list('model', { limit: 1, reverse: true });
    return Number(newest[0]?.key ?? 0) + 1;
  }

  /** What is to be written, in one step with other documents, for a new version. */
  changes(model: ModelVersion, report: EvaluationReport | null): { namespace: string; key: string; value: unknown }[] {
    const key = keyOf(model.version);
    return [
      { namespace: 'model', key, value: model },
      { namespace: `model-of.${model.agent}`, key, value: model.version },
      ...(report === null ? [] : [{ namespace: REPORTS, key, value: report }]),
    ];
  }

  /** Deletes versions of an agent that no list has any more, with their reports; none in use or waiting to be signed. */
  async thin(agent: AgentId, inUse: readonly number[]): Promise<void> {
    const namespace = `model-of.${agent}`;
    const newest = await this.#documents.list<number>(namespace, { limit: 2 * LISTED, reverse: true });
    const changes: { namespace: string; key: string; value: null }[] = [];
    for (const { key, value: version } of newest.slice(LISTED)) {
      if (inUse.includes(version) || (await this.get(version))?.state === 'challenger') continue;
      for (const each of ['model', namespace, REPORTS]) changes.push({ namespace: each, key, value: null });
    }
    if (changes.length > 0) await this.#documents.putAll(changes);
  }

  /** Says of a version that so many minutes of its training time came after it was trained. */
  async markLate(version: number, lateMinutes: number): Promise<void> {
    const model = await this.get(version);
    if (model?.window === undefined || model.window.lateMinutes >= lateMinutes) return;
    const next: ModelVersion = { ...model, window: { ...model.window, lateMinutes } };
    await this.#documents.put('model', keyOf(version), next);
    this.#changed(model.agent, version);
  }

  /** Gives a version its (newly signed) release; one that waited for its signature is published. */
  async release(version: number, releaseSha256: string): Promise<void> {
    const model = await this.get(version);
    if (model === null) return;
    const accepted = { type: 'evaluated', accepted: true, reason: 'Better, and signed.' } as const;
    const transition = advance(model.state, accepted);
    const { state, reason } = transition ?? { state: model.state, reason: model.reason };
    const next: ModelVersion = { ...model, releaseSha256, state, reason: reason ?? model.reason };
    await this.#documents.put('model', keyOf(version), next);
    this.#changed(model.agent, version);
  }

  /** Moves a version on, if the event fits its state. */
  async advance(version: number | undefined, event: RolloutEvent): Promise<void> {
    const model = version === undefined ? null : await this.get(version);
    const transition = model && advance(model.state, event);
    if (!model || !transition) return;
    const { state, reason } = transition;
    const next: ModelVersion = { ...model, state, reason: reason ?? model.reason };
    await this.#documents.put('model', keyOf(model.version), next);
    this.#changed(model.agent, model.version);
  }
}

/** Keys sort as versions do. */
function keyOf(version: number): string {
  return String(version).padStart(10, '0');
}
