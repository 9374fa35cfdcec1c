/**
 * The content of a `model/seasonal` release. Little-endian, series sorted by id:
 *
 *   "PSM" 1 | varint windowMs | float32 bandBits | float32 findingBits
 *   | varint entries, then for each: float64 fromMs, varint zigzag(offset in s)
 *   | varint series, then for each:
 *       8 bytes id | byte layout (bits 0-1 index of bins, bit 2 weekends apart, bit 3 never negative, bit 4 allowances, bit 5 those of groups)
 *       | varint windows | float32 capBits | float64 scale | 2 tails (upper, lower) of 4 × float32
 *       | float64 lowest level, and with more than one: float64 highest level, uint16 for each (steps of their range)
 *       | with allowances: byte how many, then for each: byte from, byte steps, byte days, float32 upper, float32 lower
 *       | with those of groups: the same
 *
 * 300 series with a weekday and a weekend of 96 quarter-hours are 132 KB. What the central evaluates is what `decode`
 * gives, rounding included.
 */

import { type Allowance, MOST_ALLOWANCES } from '../detect/allowance.ts';
import { ZONE_ENTRIES, type ZoneOffsets } from '../detect/civil.ts';
import { binChoices, checkSeasonal, type SeasonalParams, type SeasonalTail } from '../detect/seasonal.ts';
import { DAY_MS, limits, MINUTE_MS, TEN_MINUTES_MS } from '../limits.ts';
import type { SeriesId } from '../series.ts';
import { ByteReader, ByteWriter, fromHex, toHex, unzigzag, zigzag } from './bytes.ts';

const MAGIC = Uint8Array.of(0x50, 0x53, 0x4d, 1);
const STEPS = 65_535;
const WEEKENDS_APART = 4;
const NEVER_NEGATIVE = 8;
/** Only where there are some: who does not know of them is sent none that it need not refuse. */
const ALLOWANCES = 16;
const TOGETHER = 32;

/** A slot of the agent for each length of windows: models of both may be held, and each scores its own alone. */
export const seasonalSlots: readonly { readonly slot: string; readonly windowMs: number }[] = [
  { slot: 'model/seasonal', windowMs: MINUTE_MS },
  { slot: 'model/seasonal-10m', windowMs: TEN_MINUTES_MS },
];

/** All series of one model share window, zone and bits. */
export interface SeasonalModel {
  readonly windowMs: number;
  readonly zone: ZoneOffsets;
  readonly bandBits: number;
  readonly findingBits: number;
  readonly series: ReadonlyMap<SeriesId, SeasonalParams>;
}

export function encodeSeasonalModel(model: SeasonalModel): Uint8Array {
  const writer = new ByteWriter(64 * 1024);
  writer.raw(MAGIC);
  writer.varint(model.windowMs);
  writer.float32(model.bandBits);
  writer.float32(model.findingBits);
  writer.varint(model.zone.fromMs.length);
  model.zone.fromMs.forEach((fromMs, i) => {
    writer.float64(fromMs);
    writer.varint(zigzag(Math.round(model.zone.offsetMs[i]! / 1000)));
  });
  writer.varint(model.series.size);
  for (const id of [...model.series.keys()].sort()) {
    writer.raw(fromHex(id, 8));
    writeSeries(writer, model.series.get(id)!);
  }
  return writer.finish();
}

function writeSeries(writer: ByteWriter, params: SeasonalParams): void {
  const bins = binChoices.indexOf(params.binsPerDay as (typeof binChoices)[number]);
  const allowances = params.allowances ?? [];
  const kinds = (params.dayKinds === 2 ? WEEKENDS_APART : 0) | (params.nonNegative ? NEVER_NEGATIVE : 0);
  const together = params.together ?? [];
  writer.byte(bins | kinds | (allowances.length > 0 ? ALLOWANCES : 0) | (together.length > 0 ? TOGETHER : 0));
  writer.varint(params.windows);
  writer.float32(params.capBits);
  writer.float64(params.scale);
  for (const tail of [params.upper, params.lower]) {
    for (const value of [tail.threshold, tail.share, tail.scale, tail.shape]) writer.float32(value);
  }
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const level of params.levels) {
    low = Math.min(low, level);
    high = Math.max(high, level);
  }
  writer.float64(low);
  if (params.levels.length > 1) {
    writer.float64(high);
    for (const level of params.levels) {
      writer.uint16(high > low ? Math.round(((level - low) / (high - low)) * STEPS) : 0);
    }
  }
  writeAllowances(writer, allowances);
  writeAllowances(writer, together);
}

function writeAllowances(writer: ByteWriter, allowances: readonly Allowance[]): void {
  if (allowances.length === 0) return;
  writer.byte(allowances.length);
  for (const { from, steps, days, upper, lower } of allowances) {
    for (const value of [from, steps, days]) writer.byte(value);
    for (const value of [upper, lower]) writer.float32(value);
  }
}

/** A model from outside: bounded, each series within the bounds of `checkSeasonal`. Throws `payload.invalid`. */
export function decodeSeasonalModel(bytes: Uint8Array): SeasonalModel {
  const reader = new ByteReader(bytes, 'seasonal model');
  const magic = reader.raw(MAGIC.length);
  if (!MAGIC.every((byte, i) => magic[i] === byte)) reader.fail('this is not a seasonal model of format 1');
  const windowMs = reader.varint(DAY_MS);
  if (windowMs < 1000) reader.fail(`a window of ${windowMs} ms`);
  const bandBits = reader.float32();
  const findingBits = reader.float32();
  const zone = readZone(reader);
  const series = new Map<SeriesId, SeasonalParams>();
  const count = reader.varint(limits.seriesPerTable);
  let previous = '';
  for (let i = 0; i < count; i++) {
    const id = toHex(reader.raw(8));
    if (id <= previous) reader.fail(`series ${id} is out of order`);
    previous = id;
    const params = readSeries(reader, { windowMs, zone, bandBits, findingBits });
    checkSeasonal(params, `seasonal model, series ${id}`);
    series.set(id, params);
  }
  reader.end();
  return { windowMs, zone, bandBits, findingBits, series };
}

function readZone(reader: ByteReader): ZoneOffsets {
  const fromMs: number[] = [];
  const offsetMs: number[] = [];
  const entries = reader.varint(ZONE_ENTRIES);
  for (let i = 0; i < entries; i++) {
    fromMs.push(reader.float64());
    offsetMs.push(unzigzag(reader.varint(2 * (DAY_MS / 1000))) * 1000);
  }
  return { fromMs, offsetMs };
}

function readSeries(
  reader: ByteReader,
  shared: Pick<SeasonalParams, 'windowMs' | 'zone' | 'bandBits' | 'findingBits'>,
): SeasonalParams {
  const layout = reader.byte();
  if (layout > 63) reader.fail(`layout ${layout} is not known`);
  const binsPerDay = binChoices[layout & 3]!;
  const dayKinds = (layout & WEEKENDS_APART) === 0 ? 1 : 2;
  const windows = reader.varint();
  const capBits = reader.float32();
  const scale = reader.float64();
  const upper = readTail(reader);
  const lower = readTail(reader);
  const low = reader.float64();
  const levels = [low];
  const count = binsPerDay * dayKinds;
  if (count > 1) {
    const range = reader.float64() - low;
    for (let i = 0; i < count; i++) levels[i] = low + (reader.uint16() / STEPS) * range;
  }
  const nonNegative = (layout & NEVER_NEGATIVE) !== 0;
  const plain = { ...shared, windows, capBits, binsPerDay, dayKinds, levels, scale, upper, lower, nonNegative };
  return {
    ...plain,
    ...((layout & ALLOWANCES) !== 0 && { allowances: readAllowances(reader) }),
    ...((layout & TOGETHER) !== 0 && { together: readAllowances(reader) }),
  };
}

function readAllowances(reader: ByteReader): Allowance[] {
  const count = reader.byte();
  if (count === 0 || count > MOST_ALLOWANCES) reader.fail(`${count} allowances`);
  return Array.from({ length: count }, () => {
    const [from, steps, days] = [reader.byte(), reader.byte(), reader.byte()];
    return { from, steps, days, upper: reader.float32(), lower: reader.float32() };
  });
}

function readTail(reader: ByteReader): SeasonalTail {
  return {
    threshold: reader.float32(),
    share: reader.float32(),
    scale: reader.float32(),
    shape: reader.float32(),
  };
}
