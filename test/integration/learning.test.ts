/**
 * The learning loop with everything real: history comes over MQTT, the central trains from it, signs, and publishes;
 * the agent fetches in chunks, verifies, applies and reports. A clean restart keeps what it runs.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentStatus } from '../../agent/status.ts';
import type { Band, ModelVersion } from '../../central/api.ts';
import { HOUR_MS, limits, MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededNormal } from '../support/history.ts';
import { until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { System } from '../support/system.ts';

const WINDOWS = 60;
/** So many that the model's content needs several chunks. */
const SERIES = 700;
const load1: SeriesKey = { name: 'system.cpu.load_average.1m', unit: '{thread}', attributes: {} };
const SLOT = 'model/seasonal';

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

test('trained, signed, fetched in chunks, applied, reported, drawn; and kept over a restart without a central', async () => {
  // Only when it is told to: the history alone would begin a training, too.
  const central = await system.central({ config: 'training: {firstAfter: 1d}\nrollout: {shadow: 0s, canary: 0s}\n' });
  const machine = new GoldenMachine(system, 'vm');
  const agent = system.agent('agent', machine.config);
  const enrolment = await agent.enrolAt(central);
  const id = enrolment.agent;

  const series = [
    load1,
    ...Array.from({ length: SERIES }, (_, i) => ({ name: `test.${i}`, unit: '1', attributes: {} })),
  ];
  const normal = seededNormal(7);
  const scripted = await ScriptedAgent.connect(enrolment);
  const { toMs } = await tellHistory(scripted, series, WINDOWS, (i) => 10 * i + normal());
  await scripted.close();

  const { models } = await central.post<{ models: readonly ModelVersion[] }>('/models/train', { agent: id });
  const [model] = models;
  expect(model).toMatchObject({ agent: id, kind: SLOT, state: 'published', series: series.length });
  expect(model!.contentBytes).toBeGreaterThan(limits.chunkBytes);

  await agent.start();
  const applied = await until(
    'the agent reports the model',
    async () => {
      const state = await central.state(id);
      return state.modelVersion === model!.version ? state : null;
    },
    30_000,
    () => agent.program.stderr.slice(-2000) + central.program.stderr.slice(-2000),
  );
  expect(applied).toMatchObject({ modelVersion: model!.version, desiredVersion: model!.version });
  expect(applied.reported).toMatchObject({
    applied: [{ slot: SLOT, releaseSha256: model!.releaseSha256 }],
    refusals: [],
  });
  expect(await central.get(`/models/${model!.version}`)).toMatchObject({ state: 'applied' });

  const range = `from=${toMs}&to=${toMs + HOUR_MS}&step=${10 * MINUTE_MS}`;
  const band = await central.get<Band>(`/agents/${id}/band?series=${seriesId(series[20]!)}&${range}`);
  expect(band).toMatchObject({ version: model!.version });
  expect(band.timesMs.length).toBe(7);
  for (let i = 0; i < band.timesMs.length; i++) {
    // Series 20 has mean 200 and a deviation of 1.
    expect(band.low[i]!).toBeGreaterThan(180);
    expect(band.low[i]!).toBeLessThan(200);
    expect(band.high[i]!).toBeGreaterThan(200);
    expect(band.high[i]!).toBeLessThan(220);
  }

  await agent.stop();
  await central.program.end('SIGTERM');
  await agent.start();
  const { models: running } = await until('the status', () => {
    const status = agent.status<AgentStatus>();
    return status.pid === agent.program.pid && status.models.length > 0 ? status : null;
  });
  expect(running).toMatchObject([{ slot: SLOT, release: model!.releaseSha256 }]);
});
