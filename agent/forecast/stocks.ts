/**
 * Which series are stocks, and how far ahead each kind of them is looked at: what a definition says of itself
 * (`fullAt`, `emptyAt`, `countdown`), and what its name tells of the patience that it wants.
 */
import type { Forecast } from '../../shared/findings.ts';
import type { SeriesDefinition } from '../../shared/series.ts';

/** Names in the configuration, each with a horizon. */
export const horizonNames = ['disk', 'memory', 'battery', 'certificate', 'wear', 'other'] as const;
export type HorizonName = (typeof horizonNames)[number];

/** Horizons in milliseconds; 0: nothing is told. */
export type Horizons = Readonly<Record<HorizonName, number>>;

export interface Stock {
  readonly reaches: Forecast['reaches'];
  readonly horizon: HorizonName;
  /** The value at which it is full or empty, and the one at its other end. */
  readonly bound: number;
  readonly from: number;
  /** It goes by itself, second after second. */
  readonly countdown: boolean;
  /** How many times its history a trend is continued, and how many minutes it must have lasted. */
  readonly reach: number;
  readonly leastMinutes: number;
  /** What it is called; null: by its series. */
  readonly thing: string | null;
  readonly advice: string | null;
}

interface Manner {
  readonly test: RegExp;
  readonly horizon: HorizonName;
  readonly reach: number;
  readonly leastMinutes: number;
  /** What it is called, by an attribute where there are several. */
  readonly thing: string;
  readonly attribute?: string;
  readonly advice: string;
  readonly reaches?: Forecast['reaches'];
}

const DAY_MINUTES = 1440;
const mountpoint = 'system.filesystem.mountpoint';

const manners: readonly Manner[] = [
  {
    test: /^system\.filesystem\.utilization$/,
    horizon: 'disk',
    reach: 3,
    leastMinutes: 1,
    thing: 'File system',
    attribute: mountpoint,
    advice: 'See what grew (`du -x`), then delete or rotate it, or add space.',
  },
  {
    test: /^system\.filesystem\.inodes\.utilization$/,
    horizon: 'disk',
    reach: 3,
    leastMinutes: 1,
    thing: 'Inodes of',
    attribute: mountpoint,
    advice: 'Look for a folder with very many small files (`du --inodes -x`).',
  },
  {
    // Programs take what they need in one go and keep it: what lasted a minute or two is none of a leak.
    test: /^system\.memory\.utilization$/,
    horizon: 'memory',
    reach: 3,
    leastMinutes: 10,
    thing: 'Memory',
    advice: 'See which process grows, and restart it before the kernel ends one.',
  },
  {
    test: /^system\.paging\.utilization$/,
    horizon: 'memory',
    reach: 3,
    leastMinutes: 10,
    thing: 'Swap space',
    advice: 'See which process grows, and restart it before the kernel ends one.',
  },
  {
    test: /^system\.linux\.file_handles\.utilization$/,
    horizon: 'memory',
    reach: 3,
    leastMinutes: 10,
    thing: 'File handles',
    advice: 'See which process opens files and does not close them (`/proc/PID/fd`).',
  },
  {
    // A load that is as it is empties it evenly.
    test: /^hw\.battery\.charge$/,
    horizon: 'battery',
    reach: 10,
    leastMinutes: 10,
    thing: 'Battery',
    attribute: 'hw.name',
    advice: 'See why the mains are off.',
  },
  {
    test: /^hw\.physical_disk\.endurance_utilization$/,
    horizon: 'wear',
    reach: 3,
    leastMinutes: 14 * DAY_MINUTES,
    thing: 'Flash',
    attribute: 'hw.name',
    advice: 'Plan its replacement, and see what writes so much.',
    reaches: 'worn',
  },
  {
    test: /^tlscheck\.time_left$/,
    horizon: 'certificate',
    reach: 1,
    leastMinutes: 1,
    thing: 'Certificate',
    attribute: 'tlscheck.target',
    advice: 'Renew it, and see why it was not renewed by itself.',
    reaches: 'expired',
  },
];

/** Of what nobody knows more than its bounds, such as a tank. */
const plain = { horizon: 'other', reach: 3, leastMinutes: 5 } as const;

/** The stocks that a series is: none, one, or one at each of its ends. */
export function stocksOf(definition: SeriesDefinition): readonly Stock[] {
  const { name, unit, fullAt, emptyAt, min, max, countdown, attributes } = definition;
  const manner = manners.find(({ test }) => test.test(name));
  const own = manner?.attribute === undefined ? undefined : attributes[manner.attribute];
  const thing = manner === undefined ? null : own === undefined ? manner.thing : `${manner.thing} ${own}`;
  const { horizon, reach, leastMinutes } = manner ?? plain;
  const common = { horizon, reach, leastMinutes, thing, advice: manner?.advice ?? null };
  if (countdown === true) {
    return [{ ...common, reaches: manner?.reaches ?? 'empty', bound: 0, from: 1, countdown: true }];
  }
  const stocks: Stock[] = [];
  const highest = fullAt ?? max ?? (unit === '1' ? 1 : undefined);
  const add = (reaches: Forecast['reaches'], bound: number | undefined, from: number | undefined): void => {
    if (bound === undefined || from === undefined || !Number.isFinite(bound - from) || bound === from) return;
    stocks.push({ ...common, reaches, bound, from, countdown: false });
  };
  add('full', fullAt, emptyAt ?? min ?? 0);
  add(manner?.reaches ?? 'empty', emptyAt, highest);
  return stocks;
}
