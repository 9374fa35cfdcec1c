/** The kinds of model that the central trains. A new kind is one file and one line here. */
import type { GroupModelParams } from '../../shared/detect/group-model.ts';
import { groupModels } from './group/kind.ts';
import type { ModelKind, OwnRoundKind, TrainedKind } from './kind.ts';
import { seasonalModels } from './seasonal-kind.ts';

/** Of single series. */
export const modelKinds: readonly ModelKind<unknown>[] = [...seasonalModels];

/** Of more than that, each with a round of its own. */
export const ownRoundKinds: readonly OwnRoundKind<GroupModelParams>[] = [groupModels];

/** What is trained for a machine that tells windows of this length. */
export function kindsFor(windowMs: number): readonly TrainedKind[] {
  return [...modelKinds.filter((kind) => kind.windowMs === windowMs), ...ownRoundKinds];
}
