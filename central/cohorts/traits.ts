/** What the machines of a cohort have in common, and what sets them apart from the fleet, in words. Pure. */
import { medianOf } from '../train/robust.ts';
import type { CohortTrait } from './api.ts';
import type { Features } from './features.ts';
import { commonOf } from './names.ts';
import type { Space } from './space.ts';

/** Families that are named: those that differ the most from the fleet's. */
const MOST_NAMED = 6;
/** Share of all the difference there can be from which on one is named. */
const LEAST_NAMED = 0.15;
const GIBIBYTE = 30;

export function traitsOf(machines: readonly Features[], own: readonly number[], space: Space): CohortTrait[] {
  const features = own.map((i) => machines[i]!);
  return [...facts(features, machines), ...behaviours(machines, own, space)];
}

function facts(features: readonly Features[], fleet: readonly Features[]): CohortTrait[] {
  const all: readonly [string, (one: Features) => string][] = [
    ['Architecture', ({ facts }) => facts.arch ?? ''],
    ['System', ({ facts }) => facts.distribution ?? facts.os ?? ''],
    ['Device', ({ facts }) => facts.device ?? ''],
    ['Container', ({ facts }) => facts.container ?? ''],
  ];
  const named = all.flatMap(([what, read]) => {
    const here = commonOf(features, read);
    return here === '' ? [] : [{ what, here, elsewhere: commonOf(fleet, read) === here ? '' : 'others differ' }];
  });
  const sizes: readonly [string, string, (log: number) => string][] = [
    ['Processors', 'processors', (log) => String(Math.round(2 ** log))],
    ['Memory', 'memory', (log) => `${Number((2 ** (log - GIBIBYTE)).toPrecision(2))} GiB`],
  ];
  const measured = sizes.flatMap(([what, name, words]) => {
    const range = (of: readonly Features[]): string => {
      const values = of.flatMap(({ sizes }) => (sizes[name] === undefined ? [] : [sizes[name]]));
      if (values.length === 0) return '';
      const [low, high] = [words(Math.min(...values)), words(Math.max(...values))];
      return low === high ? low : `${low} to ${high}`;
    };
    const [here, elsewhere] = [range(features), range(fleet)];
    return here === '' ? [] : [{ what, here, elsewhere: here === elsewhere ? '' : elsewhere }];
  });
  return [...named, ...measured];
}

function behaviours(machines: readonly Features[], own: readonly number[], space: Space): CohortTrait[] {
  const width = space.families.length === 0 ? 0 : space.numbers[0]!.length / space.families.length;
  const differ = space.families.map(({ family, level }, i) => {
    const standard = (who: readonly number[]): number => medianOf(who.map((n) => space.numbers[n]![i * width]!));
    const here = medianOf(own.map((n) => machines[n]!.behaviour.get(family)?.level ?? Number.NaN));
    const far = Math.abs(standard(own) - standard([...machines.keys()]));
    return { what: family, here: short(here), elsewhere: short(level), far: Number.isNaN(far) ? 0 : far };
  });
  return differ
    .filter(({ far }) => far >= LEAST_NAMED)
    .sort((a, b) => b.far - a.far || (a.what < b.what ? -1 : 1))
    .slice(0, MOST_NAMED)
    .map(({ what, here, elsewhere }) => ({ what, here, elsewhere }));
}

function short(value: number): string {
  return Number.isNaN(value) ? '–' : String(Number(value.toPrecision(3)));
}
