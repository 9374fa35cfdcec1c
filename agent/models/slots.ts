/** The slots of models that this agent has, and what runs in each: series by themselves, or groups of them. */
import { groupFeatureVersion, groupMajor } from '../../shared/detect/group-model.ts';
import type { Supported } from '../../shared/trust/verify.ts';
import { GROUP_SLOT } from '../../shared/wire/group-model.ts';
import type { BesideRunner } from '../apply/options.ts';
import { type ModelStage, supportedModels } from '../models.ts';
import type { GroupModelStage } from './group-models.ts';
import type { BesideMode, Comparison } from './tally.ts';

/** For `Reported.supports`. */
export const supportedSlots: readonly Supported[] = [
  ...supportedModels,
  { kind: GROUP_SLOT, major: groupMajor, featureVersion: groupFeatureVersion },
];

export class ModelSlots implements BesideRunner {
  readonly #series: ModelStage;
  readonly #groups: GroupModelStage;

  constructor(series: ModelStage, groups: GroupModelStage) {
    this.#series = series;
    this.#groups = groups;
  }

  activate(slot: string, content: Uint8Array): void {
    if (slot === GROUP_SLOT) this.#groups.activate(content);
    else this.#series.activate(slot, content);
  }

  deactivate(slot: string): void {
    if (slot === GROUP_SLOT) this.#groups.deactivate();
    else this.#series.deactivate(slot);
  }

  compare(slot: string, content: Uint8Array | null, mode: BesideMode): void {
    if (slot === GROUP_SLOT) this.#groups.compare(content, mode);
    else this.#series.compare(slot, content, mode);
  }

  endComparison(slot: string): void {
    if (slot === GROUP_SLOT) this.#groups.endComparison();
    else this.#series.endComparison(slot);
  }

  comparisons(): Comparison[] {
    const ofGroups = this.#groups.comparison();
    return [...this.#series.comparisons(), ...(ofGroups === null ? [] : [ofGroups])];
  }
}
