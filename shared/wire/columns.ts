/**
 * Window features of many series as bytes, column by column: what lies inside `Summary.columns`.
 *
 * Errors. Count, minimum, maximum, bad count and sketch: none (−0 becomes 0). Mean and `last`: half a step of
 * (max − min) / 65535; `last` exact where it is the minimum or the maximum, or where it and they are integers (perhaps
 * scaled) less than 65,536 steps apart. Deviation: half a step of (max − min) / 2 / 65535 (a population deviation is never more
 * than half the range). Anomaly share: exact as a share of the count (half a sample otherwise). Highest score:
 * 1/16 bit below 16 bits, 1/4 bit below 79, relative 6e-8 above. A series without samples has no sketch.
 *
 * Layout, version 1; n is the number of series, integers are varints where nothing else is said:
 *
 *     byte      version
 *     n
 *     n bytes   class: bits 0-1 shape (0 no samples, 1 constant, 2 varying, 3 varying from 0), bits 2-4 coding of
 *               minimum and maximum (`columns-numbers.ts`), bits 5-6 last (0 in 16 bits, 1 minimum, 2 maximum,
 *               3 in steps of the integer coding), bit 7 has a score
 *     counts    the common one; how many differ; for each of these its distance from the one before, and its count
 *     integers  for each series with an integer coding: minimum (zigzag; not in shape 3), max − min (not in shape 1)
 *     floats    the same, all float32 in byte planes, then all float64 in byte planes
 *     means     of varying series, 16 bits: plane of high bytes, plane of low bytes
 *     deviations  likewise
 *     lasts     last − min: 16 bits, or a varint of steps
 *     scores    a byte each: eighths of a bit to 16, then halves to 79; 255: a float32 follows
 *     findings  sparse: how many series; for each its distance and the number of findings
 *     bad       sparse likewise
 *     byte      sketches: 0 none, 1 all implied, 2 a byte for each series with samples (0 none, 1 implied, 2 explicit)
 *     sketches  of varying series (`columns-sketches.ts`); a constant's follows from its value and count
 *
 * A constant series costs its class and its value: nothing else.
 */
import { PicketError } from '../errors.ts';
import { sketchOf } from '../math/sketch.ts';
import { ByteReader, ByteWriter, unzigzag, zigzag } from './bytes.ts';
import { CODINGS, chooseCoding, FLOAT32, readPlanes, scaled, unscaled, writePlanes } from './columns-numbers.ts';
import { isImplied, readExplicit, readImplied, writeExplicit, writeImplied } from './columns-sketches.ts';
import { emptyColumns, type MutableColumns, type WindowColumns } from './summary.ts';

const VERSION = 1;

const NO_SAMPLES = 0;
const CONSTANT = 1;
const VARYING = 2;
const FROM_ZERO = 3;

const LAST_CODED = 0;
const LAST_IS_MIN = 1;
const LAST_IS_MAX = 2;
const LAST_IN_STEPS = 3;

const STEPS = 65_535;

const SKETCH_NONE = 0;
const SKETCH_IMPLIED = 1;
const SKETCH_EXPLICIT = 2;
const SKETCHES_MIXED = 2;

const shapeOf = (kind: number) => kind & 3;
const codingOf = (kind: number) => (kind >> 2) & 7;
const lastOf = (kind: number) => (kind >> 5) & 3;
const hasScore = (kind: number) => kind > 127;
const varies = (kind: number) => (kind & 2) !== 0;

/** Throws `internal` where a series with samples has a minimum or maximum that is no finite number. */
export function encodeColumns(columns: WindowColumns): Uint8Array {
  const out = new ByteWriter(columns.length * 16 + 64);
  out.byte(VERSION);
  out.varint(columns.length);
  const kinds = new Uint8Array(columns.length);
  for (let i = 0; i < kinds.length; i++) kinds[i] = classify(columns, i);
  out.raw(kinds);
  writeCounts(out, columns);
  writeNumbers(out, columns, kinds);
  writeSteps(out, columns, kinds, columns.mean, columns.min, 2);
  writeSteps(out, columns, kinds, columns.deviation, null, 1);
  writeLasts(out, columns, kinds);
  for (let i = 0; i < kinds.length; i++) if (hasScore(kinds[i]!)) writeScore(out, columns.highestScore[i]!);
  writeSparse(out, columns.length, (i) => Math.round(columns.anomalyShare[i]! * columns.count[i]!) || 0);
  writeSparse(out, columns.length, (i) => columns.bad[i]!);
  writeSketches(out, columns, kinds);
  return out.finish();
}

/**
 * Throws `payload.invalid` on anything that `encodeColumns` does not write.
 * @param maxSeries more are refused before memory is taken; the columns of a record have `limits.seriesPerTable`
 * @param withSketches without them the rest takes a third of the time; they are then neither read nor checked
 */
export function decodeColumns(bytes: Uint8Array, maxSeries: number, withSketches = true): WindowColumns {
  const input = new ByteReader(bytes, 'columns');
  const version = input.byte();
  if (version !== VERSION) input.fail(`version ${version} is unknown`);
  const columns = emptyColumns(input.varint(Math.min(maxSeries, input.left)));
  const kinds = input.raw(columns.length);
  for (const kind of kinds) if (!isKind(kind)) input.fail(`${kind} is no class`);
  readCounts(input, columns, kinds);
  readNumbers(input, columns, kinds);
  readSteps(input, columns, kinds, columns.mean, columns.min, 2);
  readSteps(input, columns, kinds, columns.deviation, null, 1);
  readLasts(input, columns, kinds);
  for (let i = 0; i < kinds.length; i++) {
    if (hasScore(kinds[i]!)) columns.highestScore[i] = readScore(input);
    else if (kinds[i] !== NO_SAMPLES) columns.highestScore[i] = 0;
    if (kinds[i] !== NO_SAMPLES) columns.anomalyShare[i] = 0;
  }
  readSparse(input, columns.length, (i, findings) => {
    if (findings > columns.count[i]!) input.fail('more findings than samples');
    columns.anomalyShare[i] = findings / columns.count[i]!;
  });
  readSparse(input, columns.length, (i, bad) => {
    columns.bad[i] = bad;
  });
  if (!withSketches) return columns;
  readSketches(input, columns, kinds);
  input.end();
  return columns;
}

function classify(columns: WindowColumns, i: number): number {
  if (columns.count[i] === 0) return NO_SAMPLES;
  const min = columns.min[i]!;
  const max = columns.max[i]!;
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max) {
    throw new PicketError('internal', `columns: series ${i} has a minimum of ${min} and a maximum of ${max}`);
  }
  const shape = min === max ? CONSTANT : min === 0 ? FROM_ZERO : VARYING;
  const coding = chooseCoding(min, max);
  const score = columns.highestScore[i]! > 0 ? 128 : 0;
  const lastIs = shape === CONSTANT ? LAST_CODED : classifyLast(coding, min, max, columns.last[i]!);
  return shape | (coding << 2) | (lastIs << 5) | score;
}

function classifyLast(coding: number, min: number, max: number, last: number): number {
  if (last === min) return LAST_IS_MIN;
  if (last === max) return LAST_IS_MAX;
  if (coding >= FLOAT32 || scaled(coding, unscaled(coding, last)) !== last) return LAST_CODED;
  return unscaled(coding, max) - unscaled(coding, min) <= STEPS ? LAST_IN_STEPS : LAST_CODED;
}

function isKind(kind: number): boolean {
  const shape = shapeOf(kind);
  if (shape === NO_SAMPLES) return kind === 0;
  return (
    codingOf(kind) < CODINGS &&
    (shape !== CONSTANT || lastOf(kind) === LAST_CODED) &&
    (lastOf(kind) !== LAST_IN_STEPS || codingOf(kind) < FLOAT32)
  );
}

function writeCounts(out: ByteWriter, columns: WindowColumns): void {
  // The highest is what a series has that missed nothing; in an agent's minute nearly all have it.
  let common = 0;
  for (const count of columns.count) common = Math.max(common, count);
  out.varint(common);
  writeSparse(out, columns.length, (i) => (columns.count[i] === common ? 0 : columns.count[i]!));
}

function readCounts(input: ByteReader, columns: MutableColumns, kinds: Uint8Array): void {
  const common = input.varint(0xffffffff);
  for (let i = 0; i < kinds.length; i++) columns.count[i] = kinds[i] === NO_SAMPLES ? 0 : common;
  readSparse(input, columns.length, (i, count) => {
    if (kinds[i] === NO_SAMPLES) input.fail('a series without samples has a count');
    columns.count[i] = count;
  });
  if (common === 0 && kinds.some((kind) => kind !== NO_SAMPLES)) input.fail('a series has no count');
}

function writeNumbers(out: ByteWriter, columns: WindowColumns, kinds: Uint8Array): void {
  const float32: number[] = [];
  const float64: number[] = [];
  for (let i = 0; i < kinds.length; i++) {
    const shape = shapeOf(kinds[i]!);
    if (shape === NO_SAMPLES) continue;
    const coding = codingOf(kinds[i]!);
    const min = columns.min[i]!;
    const max = columns.max[i]!;
    if (coding < FLOAT32) {
      const low = unscaled(coding, min);
      if (shape !== FROM_ZERO) out.varint(zigzag(low));
      if (shape !== CONSTANT) out.varint(unscaled(coding, max) - low);
    } else {
      const floats = coding === FLOAT32 ? float32 : float64;
      if (shape !== FROM_ZERO) floats.push(min);
      if (shape !== CONSTANT) floats.push(max);
    }
  }
  writePlanes(out, float32, 4);
  writePlanes(out, float64, 8);
}

function readNumbers(input: ByteReader, columns: MutableColumns, kinds: Uint8Array): void {
  const { min, max } = columns;
  let float32 = 0;
  let float64 = 0;
  for (let i = 0; i < kinds.length; i++) {
    const shape = shapeOf(kinds[i]!);
    if (shape === NO_SAMPLES) continue;
    const coding = codingOf(kinds[i]!);
    if (coding < FLOAT32) {
      const low = shape === FROM_ZERO ? 0 : unzigzag(input.varint());
      min[i] = scaled(coding, low);
      max[i] = scaled(coding, shape === CONSTANT ? low : low + input.varint());
    } else {
      const numbers = shape === VARYING ? 2 : 1;
      if (coding === FLOAT32) float32 += numbers;
      else float64 += numbers;
    }
  }
  const singles = readPlanes(input, float32, 4);
  const doubles = readPlanes(input, float64, 8);
  let single = 0;
  let double = 0;
  for (let i = 0; i < kinds.length; i++) {
    const shape = shapeOf(kinds[i]!);
    if (shape === NO_SAMPLES) continue;
    const coding = codingOf(kinds[i]!);
    if (coding >= FLOAT32) {
      const next = () => (coding === FLOAT32 ? singles.getFloat32(4 * single++) : doubles.getFloat64(8 * double++));
      min[i] = shape === FROM_ZERO ? 0 : next();
      max[i] = shape === CONSTANT ? min[i]! : next();
    }
    const holds = Number.isFinite(min[i]!) && Number.isFinite(max[i]!);
    if (!holds || min[i]! > max[i]! || (min[i] === max[i]) !== (shape === CONSTANT)) {
      input.fail(`a minimum of ${min[i]} and a maximum of ${max[i]} do not fit`);
    }
  }
}

/** Half of max − min, which cannot overflow. */
function halfRange(columns: WindowColumns, i: number): number {
  return columns.max[i]! / 2 - columns.min[i]! / 2;
}

/** @param halves the whole scale, in halves of the range */
function writeSteps(
  out: ByteWriter,
  columns: WindowColumns,
  kinds: Uint8Array,
  values: Float64Array,
  origin: Float64Array | null,
  halves: number,
): void {
  const steps: number[] = [];
  for (let i = 0; i < kinds.length; i++) {
    if (varies(kinds[i]!))
      steps.push(stepsOf(values[i]! / halves - (origin?.[i] ?? 0) / halves, halfRange(columns, i)));
  }
  for (const step of steps) out.byte(step >> 8);
  for (const step of steps) out.byte(step & 255);
}

function readSteps(
  input: ByteReader,
  columns: MutableColumns,
  kinds: Uint8Array,
  values: Float64Array,
  origin: Float64Array | null,
  halves: number,
): void {
  let varying = 0;
  for (const kind of kinds) if (varies(kind)) varying++;
  const planes = input.raw(varying * 2);
  for (let i = 0, at = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    if (varies(kind)) {
      const step = planes[at]! * 256 + planes[varying + at]!;
      at++;
      const part = (step / STEPS) * halfRange(columns, i);
      // Twice a half, one after the other, so that nothing overflows.
      const value = halves === 2 ? (origin?.[i] ?? 0) + part + part : part;
      values[i] = origin === null ? value : Math.min(value, columns.max[i]!);
    } else if (kind !== NO_SAMPLES) values[i] = origin === null ? 0 : origin[i]!;
  }
}

function stepsOf(part: number, whole: number): number {
  const steps = Math.round((part / whole) * STEPS);
  return steps > 0 ? Math.min(STEPS, steps) : 0;
}

function writeLasts(out: ByteWriter, columns: WindowColumns, kinds: Uint8Array): void {
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    const coding = codingOf(kind);
    const [min, last] = [columns.min[i]!, columns.last[i]!];
    if (!varies(kind)) continue;
    if (lastOf(kind) === LAST_CODED) out.uint16(stepsOf(last / 2 - min / 2, halfRange(columns, i)));
    else if (lastOf(kind) === LAST_IN_STEPS) out.varint(unscaled(coding, last) - unscaled(coding, min));
  }
}

function readLasts(input: ByteReader, columns: MutableColumns, kinds: Uint8Array): void {
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    if (kind === NO_SAMPLES) continue;
    const min = columns.min[i]!;
    const max = columns.max[i]!;
    let last = min;
    if (lastOf(kind) === LAST_IS_MAX) last = max;
    else if (lastOf(kind) === LAST_IN_STEPS) {
      last = scaled(codingOf(kind), unscaled(codingOf(kind), min) + input.varint(STEPS));
    } else if (varies(kind) && lastOf(kind) === LAST_CODED) {
      const part = (input.uint16() / STEPS) * halfRange(columns, i);
      last = Math.min(max, min + part + part);
    }
    if (last > max) input.fail('a last value is above the maximum');
    columns.last[i] = last;
  }
}

function writeScore(out: ByteWriter, bits: number): void {
  if (bits < 16) out.byte(Math.round(bits * 8));
  else if (bits < 79) out.byte(128 + Math.round((bits - 16) * 2));
  else {
    out.byte(255);
    out.float32(Math.min(bits, 3e38));
  }
}

function readScore(input: ByteReader): number {
  const code = input.byte();
  if (code < 128) return code / 8;
  if (code < 255) return 16 + (code - 128) / 2;
  const bits = input.float32();
  return Number.isFinite(bits) && bits >= 0 ? bits : input.fail(`${bits} is no score`);
}

/** What is not 0, with the distance from the one before. */
function writeSparse(out: ByteWriter, length: number, at: (i: number) => number): void {
  let entries = 0;
  for (let i = 0; i < length; i++) if (at(i) > 0) entries++;
  out.varint(entries);
  for (let i = 0, before = -1; i < length; i++) {
    const value = at(i);
    if (value <= 0) continue;
    out.varint(i - before - 1);
    out.varint(value);
    before = i;
  }
}

function readSparse(input: ByteReader, length: number, put: (i: number, value: number) => void): void {
  const entries = input.varint(length);
  for (let entry = 0, i = -1; entry < entries; entry++) {
    i += 1 + input.varint(length);
    if (i >= length) input.fail('a series is beyond the last one');
    const value = input.varint(0xffffffff);
    if (value === 0) input.fail('an entry is empty');
    put(i, value);
  }
}

function writeSketches(out: ByteWriter, columns: WindowColumns, kinds: Uint8Array): void {
  const modes = new Uint8Array(kinds.length);
  let samples = 0;
  let implied = 0;
  let explicit = 0;
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] === NO_SAMPLES) continue;
    samples++;
    const sketch = columns.sketches[i];
    if (sketch === null || sketch === undefined) continue;
    modes[i] = isImplied(sketch, columns.count[i]!, columns.min[i]!, columns.max[i]!)
      ? SKETCH_IMPLIED
      : SKETCH_EXPLICIT;
    if (modes[i] === SKETCH_IMPLIED) implied++;
    else explicit++;
  }
  const all = implied + explicit === 0 ? SKETCH_NONE : implied === samples ? SKETCH_IMPLIED : SKETCHES_MIXED;
  out.byte(all);
  if (all === SKETCHES_MIXED) for (let i = 0; i < kinds.length; i++) if (kinds[i] !== NO_SAMPLES) out.byte(modes[i]!);
  for (let i = 0; i < kinds.length; i++) {
    if (modes[i] === SKETCH_EXPLICIT) writeExplicit(out, columns.sketches[i]!);
    else if (modes[i] === SKETCH_IMPLIED && varies(kinds[i]!)) {
      writeImplied(out, columns.sketches[i]!, columns.min[i]!, columns.max[i]!);
    }
  }
}

function readSketches(input: ByteReader, columns: MutableColumns, kinds: Uint8Array): void {
  const all = input.byte();
  if (all > SKETCHES_MIXED) input.fail(`${all} says nothing about sketches`);
  if (all === SKETCH_NONE) return;
  const modes = new Uint8Array(kinds.length);
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] === NO_SAMPLES) continue;
    modes[i] = all === SKETCHES_MIXED ? input.byte() : SKETCH_IMPLIED;
    if (modes[i]! > SKETCH_EXPLICIT) input.fail(`${modes[i]} says nothing about a sketch`);
  }
  for (let i = 0; i < kinds.length; i++) {
    const [count, min, max] = [columns.count[i]!, columns.min[i]!, columns.max[i]!];
    if (modes[i] === SKETCH_EXPLICIT) columns.sketches[i] = readExplicit(input);
    else if (modes[i] === SKETCH_IMPLIED) {
      columns.sketches[i] = varies(kinds[i]!) ? readImplied(input, count, min, max) : sketchOf(min, count);
    }
  }
}
