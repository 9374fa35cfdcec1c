/** The seasonal model as a kind: its trainer, its content and its detector. */
import { type SeasonalParams, seasonal, seasonalFeatureVersion } from '../../shared/detect/seasonal.ts';
import { decodeSeasonalModel, encodeSeasonalModel, seasonalSlots } from '../../shared/wire/seasonal-model.ts';
import type { ModelKind } from './kind.ts';
import { seasonalTrainer, taughtSeasonal } from './seasonal.ts';
import { seasonalBelow } from './seasonal-below.ts';
import { mergeSeasonal } from './seasonal-merge.ts';

/** One kind for each length of windows. */
export const seasonalModels: readonly ModelKind<SeasonalParams>[] = seasonalSlots.map(({ slot, windowMs }) => ({
  slot,
  windowMs,
  detector: seasonal,
  major: seasonal.major,
  featureVersion: seasonalFeatureVersion,
  trainer: seasonalTrainer,
  encode(series, { windowMs, zone }) {
    const { bandBits, findingBits } = series.values().next().value ?? seasonal.defaults;
    return encodeSeasonalModel({ windowMs, zone, bandBits, findingBits, series });
  },
  decode: (content) => decodeSeasonalModel(content).series,
  scale: (params) => params.scale,
  windows: (params) => params.windows,
  below: seasonalBelow,
  merge: mergeSeasonal,
  taught: taughtSeasonal,
}));
