/** Axes of charts: time in the chosen zone, values in humanised units. */
import type uPlot from 'uplot';
import { digits, formatValue, scaleOf } from '../format.ts';
import { formatTick } from '../time.ts';
import { colours } from './colours.ts';

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const VALUE_AXIS_PX = 62;

/** Ticks of bytes stand at powers of two. */
const binaryIncrements = Array.from({ length: 60 }, (_, power) => 2 ** power);
const decimalIncrements = Array.from({ length: 19 }, (_, power) => power - 6).flatMap((power) =>
  [1, 2, 5].map((step) => Number(`${step}e${power}`)),
);

export function timeAxis(zone: () => string): uPlot.Axis {
  return {
    stroke: () => colours().text,
    grid: { stroke: () => colours().grid, width: 1 },
    ticks: { show: false },
    font: FONT,
    size: 26,
    gap: 6,
    space: 72,
    values: (_plot, splits, _axis, _space, step) => splits.map((at) => formatTick(at, step, zone())),
  };
}

export function valueAxis(unit: string): uPlot.Axis {
  const whole = unit === '' || unit.startsWith('{') ? decimalIncrements : undefined;
  const increments = unit === 'By' || unit === 'By/s' ? binaryIncrements : whole;
  return {
    stroke: () => colours().text,
    grid: { stroke: () => colours().grid, width: 1 },
    ticks: { show: false },
    font: FONT,
    size: VALUE_AXIS_PX,
    gap: 6,
    space: 30,
    ...(increments !== undefined && { incrs: increments }),
    values: (_plot, splits) => splitTexts(splits, unit),
  };
}

/** All ticks in the unit of the largest, so that they can be compared at a glance. */
function splitTexts(splits: readonly number[], unit: string): string[] {
  const largest = Math.max(...splits.map(Math.abs));
  const scale = scaleOf(largest, unit);
  return splits.map((value) => {
    if (value === 0) return unit === '1' ? '0 %' : '0';
    if (scale.unit === '') return digits(value * scale.factor);
    return /^[kMGTPE]?(\/s)?$/.test(scale.unit)
      ? digits(value * scale.factor) + scale.unit
      : `${digits(value * scale.factor)} ${scale.unit}`;
  });
}

/** What stands beside a line's name. */
export function valueText(value: number | null | undefined, unit: string): string {
  return formatValue(value, unit);
}
