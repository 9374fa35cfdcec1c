import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { fakeDocuments } from '../http/fakes.ts';
import type { LatestSeries, SeriesColumns, Store } from '../store/store.ts';
import { CohortsService } from './service.ts';

const START = Date.UTC(2026, 2, 1);

/** A fleet whose machines say one number each of two families. */
class World {
  nowMs = START;
  readonly levels = new Map<string, number>();
  readonly audited: string[] = [];
  readonly moved: string[] = [];
  readonly documents = fakeDocuments();
  readonly #waiting: (() => void)[] = [];
  reads = 0;

  service(): CohortsService {
    const made = new CohortsService({
      store: this.#store(),
      agents: () => [...this.levels.keys()],
      nowMs: () => this.nowMs,
      timers: { after: (_ms, work) => this.#waiting.push(work), cancel: () => {} },
      log: { debug() {}, info() {}, warn() {}, error: (_about, words) => this.audited.push(`ERROR ${words}`) },
      audit: {
        add: async ({ actor, action, target, detail }) =>
          void this.audited.push(`${actor} ${action} ${target}: ${detail}`),
        list: async () => [],
      },
    });
    made.onPlaced(async (agent, cohort) => void this.moved.push(`${agent} ${cohort}`));
    return made;
  }

  /** A look that was due is over when the next order is answered. */
  async passed(service: CohortsService): Promise<void> {
    for (const work of this.#waiting.splice(0)) work();
    await service.rename('no such', 'x', 'test').catch(() => {});
  }

  #store(): Pick<Store, 'latest' | 'query' | 'document' | 'documents'> {
    const families = ['load', 'rate'];
    const columnsOf = (agent: string, id: string, count: number): SeriesColumns => {
      const level = this.levels.get(agent)! * (id === 'load' ? 1 : 3);
      const ones = new Float64Array(count).fill(level);
      const timesMs = Float64Array.from({ length: count }, (_, i) => this.nowMs - (count - i) * HOUR_MS);
      const rest = { deviation: ones, min: ones, max: ones, last: ones, anomalyShare: ones, highestScore: ones };
      return { series: id, timesMs, lengthsMs: ones, count: ones, mean: ones, ...rest };
    };
    return {
      documents: this.documents,
      document: async () => ({
        timeMs: START,
        json: { resource: { 'host.arch': 'amd64' }, processor: { threads: 2 } },
      }),
      latest: async (agent) => {
        this.reads++;
        if (!this.levels.has(agent)) return [];
        const at = { timeMs: this.nowMs, mean: 0, min: 0, max: 0, last: 0, anomalyShare: 0, highestScore: 0 };
        return families.map((name): LatestSeries => ({ id: name, name, unit: '1', attributes: {}, ...at }));
      },
      query: async (agent, series) => series.map((id) => columnsOf(agent, id, 48)),
    };
  }
}

function world(): World {
  const made = new World();
  for (const [agent, level] of [
    ['a', 1],
    ['b', 1.1],
    ['c', 1.2],
    ['x', 400],
    ['y', 420],
  ] as const) {
    made.levels.set(agent, level);
  }
  return made;
}

describe('cohorts of a fleet', () => {
  it('are found, named, kept over a start, and said in the audit log', async () => {
    const fleet = world();
    const service = fleet.service();
    await service.start();
    const { cohorts } = await service.round();
    expect(cohorts.map(({ name, members }) => [name, members.map(({ agent }) => agent)])).toEqual([
      ['2-core-amd64-a', ['a', 'b', 'c']],
      ['2-core-amd64-b', ['x', 'y']],
    ]);
    expect(fleet.audited).toContain('central cohort.place a: 2-core-amd64-a: by what it is and how it behaves');
    expect(service.peersOf('a')).toEqual(['b', 'c']);
    await service.close();
    const again = fleet.service();
    await again.start();
    expect(again.state()).toEqual(service.state());
    fleet.audited.length = 0;
    await again.round();
    expect(fleet.audited.filter((line) => line.includes('cohort.place'))).toEqual([]);
  });

  it('are told by machines that appear: a first place after ten minutes, a settled one after an hour', async () => {
    const fleet = world();
    const service = fleet.service();
    await service.start();
    await service.round();
    fleet.levels.set('new', 410);
    service.windowCommitted('new', START);
    service.windowCommitted('new', START + 9 * MINUTE_MS);
    await fleet.passed(service);
    expect(service.state().alone).toEqual([{ agent: 'new', why: 'young' }]);
    service.windowCommitted('new', START + 10 * MINUTE_MS);
    await fleet.passed(service);
    expect(service.nameOf('new')).toBe('2-core-amd64-b');
    expect(service.state().cohorts[1]?.members.find(({ agent }) => agent === 'new')?.by).toBe('first');
    expect(fleet.moved.at(-1)).toBe('new 2-core-amd64-b');
    fleet.levels.set('new', 1);
    service.windowCommitted('new', START + HOUR_MS);
    await fleet.passed(service);
    expect(service.nameOf('new')).toBe('2-core-amd64-a');
    expect(fleet.audited).not.toContain(expect.stringContaining('ERROR'));
  });

  it('are looked at again each day, and not before', async () => {
    const fleet = world();
    const service = fleet.service();
    await service.start();
    await service.round();
    const { reads } = fleet;
    fleet.nowMs += DAY_MS - 1;
    service.windowCommitted('a', fleet.nowMs);
    await fleet.passed(service);
    expect(fleet.reads).toBe(reads);
    fleet.nowMs += 1;
    service.windowCommitted('a', fleet.nowMs);
    await fleet.passed(service);
    expect(fleet.reads).toBe(2 * reads);
    expect(service.state().roundMs).toBe(fleet.nowMs);
  });

  it('go by what operators say: a name, a place, and leaving it to the clusters again', async () => {
    const fleet = world();
    const service = fleet.service();
    await service.start();
    await service.round();
    await service.rename('2-core-amd64-b', 'pumps', 'ann');
    await service.set('c', 'pumps', 'ann');
    await service.set('a', 'odd-one', 'ann');
    for (let day = 0; day < 5; day++) await service.round();
    expect(['a', 'b', 'c', 'x'].map((agent) => service.nameOf(agent))).toEqual([
      'odd-one',
      '2-core-amd64-a',
      'pumps',
      'pumps',
    ]);
    await service.set('c', null, 'ann');
    await service.round();
    expect(service.nameOf('c')).toBe('2-core-amd64-a');
    expect(fleet.audited).toContain('ann cohort.place c: 2-core-amd64-a to pumps: put into pumps by hand');
    await expect(service.rename('pumps', '2-core-amd64-a', 'ann')).rejects.toMatchObject({ code: 'conflict' });
    await expect(service.set('x', 'alone', 'ann')).rejects.toMatchObject({ code: 'usage.invalid' });
    await expect(service.set('x', null, 'ann')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('forget machines that are retired, and end when nobody is in them', async () => {
    const fleet = world();
    const service = fleet.service();
    await service.start();
    await service.round();
    for (const agent of ['x', 'y']) fleet.levels.delete(agent);
    await service.round();
    expect(service.state().cohorts.map(({ name }) => name)).toEqual(['2-core-amd64-a']);
    expect(await fleet.documents.list('cohort-place')).toHaveLength(3);
    expect(fleet.audited).toContain('central cohort.end 2-core-amd64-b: nobody is in it');
  });
});
