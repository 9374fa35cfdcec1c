/** The model of a machine's groups as a kind: it learns from hours of co-moments, in a round of its own. */
import { type GroupModelParams, groupFeatureVersion, groupMajor } from '../../../shared/detect/group-model.ts';
import { decodeGroupModel, GROUP_SLOT } from '../../../shared/wire/group-model.ts';
import type { OwnRoundKind } from '../kind.ts';
import { groupRound } from './round.ts';

export const groupModels: OwnRoundKind<GroupModelParams> = {
  slot: GROUP_SLOT,
  major: groupMajor,
  featureVersion: groupFeatureVersion,
  /** By the name of the group. */
  decode: (content) => decodeGroupModel(content).groups,
  round: groupRound,
};
