/** Models of the machines of a simulated fleet: a good one, and what a fault of the trainer could make of it. */
import { utcZone } from '../../../shared/detect/civil.ts';
import { type SeasonalParams, seasonal } from '../../../shared/detect/seasonal.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { encodeSeasonalModel } from '../../../shared/wire/seasonal-model.ts';

export const SERIES = 4;
export const seriesIds = Array.from({ length: SERIES }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
/** What a series of the fleet is about, with a deviation of 1. */
export const levelOf = (series: number): number => 10 * (series + 1);

/** Parameters that no trainer makes: tests plant detectors with faults that these wake. */
export const faults = { throws: 41, diesOf: 43, hoards: 47 } as const;

/** One machine's model; `note` makes its content, and so its hash, its own. */
export function modelOf(note: number, change: (params: SeasonalParams) => Partial<SeasonalParams> = () => ({})) {
  const shared = { windowMs: MINUTE_MS, zone: utcZone, bandBits: 5, findingBits: 17 };
  const series = new Map(
    seriesIds.map((id, i): [string, SeasonalParams] => {
      const params = { ...seasonal.defaults, ...shared, windows: 1000 + note, levels: [levelOf(i)], scale: 1 };
      return [id, { ...params, ...change(params) }];
    }),
  );
  return encodeSeasonalModel({ ...shared, series });
}

export interface Poison {
  readonly name: string;
  readonly content: (note: number) => Uint8Array;
  /** What its release says of its size, where that is not so. */
  readonly bytes?: number;
  /** What must be said of it at last. */
  readonly reason: RegExp;
}

const narrow = (share: number) => ({ threshold: 0.01, share, scale: 0.01, shape: 0 });

export const poisons: readonly Poison[] = [
  {
    name: 'a tail that is too narrow',
    content: (note) => modelOf(note, () => ({ upper: narrow(0.05), lower: narrow(0.05) })),
    reason: /too loud/i,
  },
  {
    name: 'another unit',
    content: (note) => modelOf(note, ({ levels }) => ({ levels: levels.map((level) => level * 1000) })),
    reason: /too loud/i,
  },
  {
    name: 'NaN',
    content: (note) => modelOf(note, () => ({ scale: Number.NaN })),
    reason: /payload\.invalid: .*scale/,
  },
  {
    name: 'an infinite level',
    content: (note) => modelOf(note, () => ({ levels: [Number.POSITIVE_INFINITY] })),
    reason: /payload\.invalid: .*levels/,
  },
  {
    name: '10 MB',
    content: (note) => modelOf(note),
    bytes: 10 * 1024 * 1024,
    reason: /payload\.invalid: .*contentBytes/,
  },
  { name: 'no model at all', content: (note) => Buffer.from(`no model ${note}`), reason: /payload\.invalid/ },
  {
    name: 'what makes the detector throw',
    content: (note) => modelOf(note, () => ({ capBits: faults.throws })),
    reason: /threw: planted/,
  },
  {
    name: 'what takes too much memory',
    content: (note) => modelOf(note, () => ({ capBits: faults.hoards })),
    reason: /with it 60 MB of memory are in use, 8 MB before it came/,
  },
  {
    name: 'what ends the process',
    content: (note) => modelOf(note, () => ({ capBits: faults.diesOf })),
    reason: /started 3 times in a row/,
  },
];
