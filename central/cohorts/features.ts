/**
 * What a machine is and how it behaves, as few numbers: facts and sizes from its inventory, the families of series that
 * it has, and of each family the usual level, spread and course of the day. Robust: medians alone. Pure.
 *
 * What comes from the machine (its inventory) is not trusted for its shape: what is not as expected is left out.
 */
import { localMs, timeOfDayMs, type ZoneOffsets } from '../../shared/detect/civil.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesKey } from '../../shared/series.ts';
import type { SeriesColumns } from '../store/store.ts';
import { MAD_TO_DEVIATION, medianDistance, medianOf } from '../train/robust.ts';

/** Parts of the day of which the course is told. */
export const DAY_PARTS = 6;
/** Days that a course, and a spread, need: one day is its own average. */
const COURSE_DAYS = 2;
const MOST_TEXT = 64;

export interface Behaviour {
  readonly level: number;
  /** Between hours of days; null of a young machine, whose minutes are another thing. */
  readonly spread: number | null;
  /** By part of the day, less the level, in the unit of the series; null while the days are too few. */
  readonly course: readonly number[] | null;
}

export interface Features {
  readonly facts: Readonly<Record<string, string>>;
  /** Base-2 logarithms. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Sorted. */
  readonly families: readonly string[];
  readonly behaviour: ReadonlyMap<string, Behaviour>;
}

/** Series that mean the same on machines with more or fewer processors, disks and networks. */
export function familyOf({ name, unit, attributes }: SeriesKey): string {
  const kinds = Object.entries(attributes).filter(([key]) => /(mode|state|direction|kind|type)$/.test(key));
  const told = kinds.map(([key, value]) => `${key}=${value}`).sort();
  return [name, unit, ...told].join(' ');
}

/** Of an inventory as the agent made it, or of anything else. */
export function inventoryOf(json: unknown): Pick<Features, 'facts' | 'sizes'> {
  const root = recordOf(json);
  const resource = recordOf(root.resource);
  const facts: Record<string, string> = {};
  const fact = (name: string, value: unknown): void => {
    if (typeof value === 'string' && value.trim() !== '') facts[name] = value.trim().slice(0, MOST_TEXT);
  };
  fact('arch', resource['host.arch']);
  fact('os', resource['os.type']);
  fact('distribution', resource['os.name']);
  fact('device', resource['device.model.name']);
  const virtual = recordOf(root.virtualisation);
  fact('container', virtual.container);
  const sizes: Record<string, number> = {};
  const size = (name: string, value: unknown): void => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 1) sizes[name] = Math.log2(value);
  };
  size('processors', recordOf(root.processor).threads);
  size('memory', recordOf(root.memory).sizeBytes);
  return { facts, sizes };
}

/** Level, spread and course of a series; null where nothing was measured. */
export function behaviourOf(columns: Pick<SeriesColumns, 'timesMs' | 'mean'>, zone: ZoneOffsets): Behaviour | null {
  const level = medianOf(columns.mean);
  if (!Number.isFinite(level)) return null;
  const parts: number[][] = Array.from({ length: DAY_PARTS }, () => []);
  const days = new Set<number>();
  for (const [i, mean] of columns.mean.entries()) {
    if (!Number.isFinite(mean)) continue;
    const local = localMs(zone, columns.timesMs[i]! - 1);
    days.add(Math.floor(local / DAY_MS));
    parts[Math.floor((timeOfDayMs(local) / DAY_MS) * DAY_PARTS)]!.push(mean);
  }
  const whole = days.size > COURSE_DAYS && parts.every((part) => part.length > 0);
  return {
    level,
    spread: days.size > COURSE_DAYS ? MAD_TO_DEVIATION * medianDistance(columns.mean, level) : null,
    course: whole ? parts.map((part) => medianOf(part) - level) : null,
  };
}

/** Of the series of one family that a machine has: the middle one of each number. */
export function together(each: readonly Behaviour[]): Behaviour {
  const courses = each.flatMap(({ course }) => (course === null ? [] : [course]));
  const spreads = each.flatMap(({ spread }) => spread ?? []);
  return {
    level: medianOf(each.map(({ level }) => level)),
    spread: spreads.length === 0 ? null : medianOf(spreads),
    course:
      courses.length === 0
        ? null
        : Array.from({ length: DAY_PARTS }, (_, part) => medianOf(courses.map((course) => course[part]!))),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
