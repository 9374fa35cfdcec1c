/** What a clean restart must not take from an agent: what its detectors learned, and the incident that is open. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeStates } from '../../agent/detect/saved-state.ts';
import { DetectStage } from '../../agent/detect.ts';
import { SeriesRegistry } from '../../agent/series.ts';
import type { StoredIncident } from '../../central/store/store.ts';
import { limits } from '../../shared/limits.ts';
import { Quality, type SeriesDefinition } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededRandom } from '../support/history.ts';
import { until } from '../support/processes.ts';
import { drained, System } from '../support/system.ts';
import { silentLog } from '../support/timers.ts';

const LOADAVG = 'proc/loadavg';
const POINTS = 3_000;
const load1: SeriesDefinition = {
  name: 'system.cpu.load_average.1m',
  unit: '{thread}',
  attributes: {},
  kind: 'gauge',
  min: 0,
  steady: true,
};

let system: System;
let changing: NodeJS.Timeout | undefined;
beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  clearInterval(changing);
  await system.close();
});

/** A load that is between 1 and 2 on an ordinary day. */
const random = seededRandom(11);
const ordinary = (): number => 1 + random();
const text = (load: number): string => `${load.toFixed(2).padStart(5, '0')} 0.03 0.10 1/94 8539\n`;

/** What an agent has learned in an hour of such a load, as it would have saved it. */
function learned(): Uint8Array {
  const registry = new SeriesRegistry({ limit: 16, log: silentLog });
  const number = registry.intern(load1);
  const detect = new DetectStage({ limit: 16, series: registry, log: silentLog, onFinding: () => {}, settleMs: 0 });
  for (let i = 0; i < POINTS; i++) {
    detect.score(number, ordinary(), Quality.good, { monotonicMs: i * 1_000, utcMs: i * 1_000 });
  }
  return detect.saveState();
}

/** The saved state of the load's first detector. */
function saved(directory: string): Buffer {
  const states = decodeStates(readFileSync(join(directory, 'detectors.bin')), limits.seriesPerAgent);
  return Buffer.from(states.get(seriesId(load1))!.find(({ name }) => name === 'surprise')!.state);
}

test('detectors go on with what they learned, and an open incident stays the same one', async () => {
  const central = await system.central();
  const machine = new GoldenMachine(system, 'vm');
  machine.add(LOADAVG, text(1.5));
  let load = ordinary;
  changing = setInterval(() => machine.write(LOADAVG, text(load())), 200);
  const others = ['cpu', 'memory', 'paging', 'pressure', 'disk', 'filesystem', 'network', 'sockets', 'processes'];
  const off = others.map((name) => `  linux.${name}: false`).join('\n');
  const agent = system.agent('agent', `${machine.config}outbox: {commitInterval: 1s}\ninputs:\n${off}\n`);
  const { agent: id } = await agent.enrolAt(central);
  writeFileSync(join(agent.data, 'detectors.bin'), learned());
  const atFirst = saved(agent.data);
  await agent.start();

  // Nothing is judged in the first half minute; a load of 40 then is like nothing that it has seen.
  load = () => 40;
  const incidents = async () =>
    (await central.get<{ incidents: readonly StoredIncident[] }>(`/agents/${id}/incidents`)).incidents;
  const [opened] = await until(
    'an incident',
    async () => {
      const found = await incidents();
      return found.length > 0 ? found : null;
    },
    50_000,
    () => agent.program.stderr.slice(-2000),
  );
  expect(opened).toMatchObject({ state: 'open', findings: [{ series: seriesId(load1) }] });

  await agent.stop();
  const afterFirst = saved(agent.data);
  expect(afterFirst.equals(atFirst)).toBe(false);

  await agent.start();
  const status = await until('the status of the new run', () => {
    const now = agent.status<{ pid: number; incidents: readonly { openedMs: number; title: string }[] }>();
    return now.pid === agent.program.pid ? now : null;
  });
  expect(status.incidents).toMatchObject([{ openedMs: opened!.openedMs }]);
  await drained(central, id, 2);
  expect((await incidents()).map(({ epoch, seq, state }) => ({ epoch, seq, state }))).toEqual([
    { epoch: opened!.epoch, seq: opened!.seq, state: 'open' },
  ]);
  expect((await central.state(id)).openIncidents).toBe(1);

  // Ended before it judged anything: what is saved is what was loaded, of a series that it may not have met.
  await agent.stop();
  expect(saved(agent.data).equals(afterFirst)).toBe(true);
});
