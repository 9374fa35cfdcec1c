import { describe, expect, it } from 'vitest';
import { clusters } from './linkage.ts';
import { CUT, nearest, type Place, placesAfter, ROUNDS_TO_MOVE } from './placing.ts';

/** Machines on a line. */
class Fleet {
  places = new Map<string, Place>();
  readonly cohorts: string[] = [];
  #nowMs = 0;

  round(at: Readonly<Record<string, number>>, counts = true): Record<string, string | null> {
    const agents = Object.keys(at);
    const distance = (a: number, b: number) => Math.abs(at[agents[a]!]! - at[agents[b]!]!);
    const begin = (): string => {
      this.cohorts.push(`c${this.cohorts.length + 1}`);
      return this.cohorts.at(-1)!;
    };
    const found = clusters(agents.length, distance, CUT);
    const round = { agents, places: this.places, cohorts: this.cohorts, clusters: found, distance, begin, counts };
    this.places = new Map([...this.places, ...placesAfter({ ...round, nowMs: ++this.#nowMs })]);
    return Object.fromEntries(agents.map((agent) => [agent, this.places.get(agent)!.cohort]));
  }
}

const start = { a: 0, b: 0.2, c: 0.4, x: 10, y: 10.2, z: 10.4, alone: 50 };

describe('places after a round', () => {
  it('begin from clusters; who is like no other is alone', () => {
    const places = new Fleet().round(start);
    expect(places).toEqual({ a: 'c1', b: 'c1', c: 'c1', x: 'c2', y: 'c2', z: 'c2', alone: null });
  });

  it('last: the same clusters, found in another order, are the same cohorts', () => {
    const fleet = new Fleet();
    fleet.round(start);
    const { a, b, c, x, y, z } = start;
    expect(fleet.round({ z, y, x, c, b, a })).toMatchObject({ a: 'c1', z: 'c2' });
    expect(fleet.cohorts).toEqual(['c1', 'c2']);
  });

  it('changes only after some rounds on end in which another is clearly nearer', () => {
    const fleet = new Fleet();
    fleet.round(start);
    const moved = { ...start, c: 10.1 };
    for (let n = 1; n < ROUNDS_TO_MOVE; n++) {
      expect(fleet.round(moved).c).toBe('c1');
      // Rounds between the counted ones change nothing.
      expect(fleet.round(moved, false).c).toBe('c1');
    }
    expect(fleet.round(moved).c).toBe('c2');
  });

  it('forgets that a machine leaned elsewhere once it is back', () => {
    const fleet = new Fleet();
    fleet.round(start);
    for (let n = 1; n < ROUNDS_TO_MOVE; n++) fleet.round({ ...start, c: 10.1 });
    fleet.round(start);
    expect(fleet.round({ ...start, c: 10.1 }).c).toBe('c1');
    expect(fleet.places.get('c')?.leaning).toEqual({ cohort: 'c2', rounds: 1 });
  });

  it('splits a cohort in two when its machines part for good, and makes one cohort of the other part', () => {
    const fleet = new Fleet();
    const one = { a: 0, b: 0.1, c: 0.2, d: 0.3, e: 0.4 };
    fleet.round(one);
    const parted = { a: 0, b: 0.1, c: 0.2, d: 20, e: 20.1 };
    for (let n = 0; n < ROUNDS_TO_MOVE; n++) fleet.round(parted);
    expect(fleet.round(parted)).toEqual({ a: 'c1', b: 'c1', c: 'c1', d: 'c2', e: 'c2' });
    expect(fleet.cohorts).toEqual(['c1', 'c2']);
  });

  it('never moves a machine that was put somewhere by hand', () => {
    const fleet = new Fleet();
    fleet.round(start);
    fleet.places.set('c', { cohort: 'c2', by: 'hand', sinceMs: 5, distance: null, leaning: null });
    for (let n = 0; n <= ROUNDS_TO_MOVE; n++) expect(fleet.round(start).c).toBe('c2');
    expect(fleet.places.get('c')).toMatchObject({ by: 'hand', sinceMs: 5 });
  });

  it('takes a young machine to the nearest cohort, or to none, and settles it in the next round', () => {
    const fleet = new Fleet();
    fleet.round(start);
    const agents = [...Object.keys(start), 'near', 'far'];
    const at: Record<string, number> = { ...start, near: 10.6, far: 30 };
    const distance = (a: number, b: number) => Math.abs(at[agents[a]!]! - at[agents[b]!]!);
    const round = { agents, places: fleet.places, cohorts: fleet.cohorts, distance, nowMs: 9 };
    expect(nearest(round, agents.indexOf('near'))).toMatchObject({ cohort: 'c2', by: 'first' });
    expect(nearest(round, agents.indexOf('far'))).toMatchObject({ cohort: null, by: 'first' });
    fleet.places.set('near', nearest(round, agents.indexOf('near')));
    // An hour later it looks otherwise: nothing holds it.
    expect(fleet.round({ ...start, near: 0.3 }, false).near).toBe('c1');
  });
});
