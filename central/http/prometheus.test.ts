import { expect, test } from 'vitest';
import { START_MS, someAgent, someSeries } from './fake-values.ts';
import { fakeServices, startTestServer } from './fakes.ts';
import { labelsOf, MetricsPage, metricName } from './prometheus.ts';

test('names follow the OpenTelemetry to Prometheus convention', () => {
  const cases: [string, string, string][] = [
    ['system.cpu.utilization', '1', 'system_cpu_utilization_ratio'],
    ['system.memory.usage', 'By', 'system_memory_usage_bytes'],
    ['system.disk.io', 'By/s', 'system_disk_io_bytes_per_second'],
    ['system.disk.operations', '{operation}/s', 'system_disk_operations_per_second'],
    ['system.cpu.load_average.1m', '{thread}', 'system_cpu_load_average_1m'],
    ['hw.temperature', 'Cel', 'hw_temperature_celsius'],
    ['system.uptime', 's', 'system_uptime_seconds'],
    ['flow', 'l/min', 'flow_liters_per_minute'],
    ['frequency', '1/s', 'frequency_per_second'],
    ['request.bytes', 'By', 'request_bytes'],
    ['3way valve (öffnen)', '', '_3way_valve_ffnen'],
    ['a..b--c_', '', 'a_b_c'],
    ['…', 'xyz', 'unnamed_xyz'],
  ];
  for (const [name, unit, expected] of cases) expect([name, metricName({ name, unit })]).toEqual([name, expected]);
});

test('labels are sanitised, escaped, joined where they meet, and never replace ours', () => {
  expect(labelsOf({ 'disk.device': 'sda' }, { agent: 'a' })).toBe('agent="a",disk_device="sda"');
  expect(labelsOf({ agent: 'x', '1st': 'y' }, { agent: 'a' })).toBe('agent="a",key_1st="y",exported_agent="x"');
  expect(labelsOf({ 'a.b': '1', a_b: '2' }, {})).toBe('a_b="1;2"');
  expect(labelsOf({ path: 'C:\\"x"\n' }, {})).toBe('path="C:\\\\\\"x\\"\\n"');
});

test('samples of one name come together, once each', () => {
  const page = new MetricsPage();
  page.add('gauge', 'a', 'Help', 'x="1"', 1);
  page.add('gauge', 'b', 'Two\nlines', '', Number.POSITIVE_INFINITY);
  page.add('gauge', 'a', 'Help', 'x="2"', Number.NaN);
  page.add('gauge', 'a', 'Help', 'x="1"', 3);
  expect(page.toString()).toBe(
    '# HELP a Help\n# TYPE a gauge\na{x="1"} 1\na{x="2"} NaN\n# HELP b Two\\nlines\n# TYPE b gauge\nb +Inf\n',
  );
  expect(page.skipped).toBe(1);
});

test('current values of the fleet: without retired agents and series that ended', async () => {
  const { services } = fakeServices();
  const retired = { ...someAgent, id: 'old', retiredMs: START_MS };
  const latest = async () => [
    someSeries,
    { ...someSeries, name: 'gone', timeMs: START_MS - 3_600_000 },
    { ...someSeries, name: 'never', last: Number.NaN },
  ];
  const server = await startTestServer({
    services: {
      fleet: { ...services.fleet, agents: () => [someAgent, retired] },
      store: { ...services.store, latest },
    },
  });
  const answer = await server.app.inject({ url: '/metrics/fleet', headers: { host: 'localhost' } });
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = answer.body.split('\n');
  expect(lines).toContain('system_memory_usage_bytes{agent="pump-7",state="used"} 12');
  expect(lines).toContain('picket_agent_online{agent="pump-7"} 1');
  expect(lines).toContain(`picket_agent_last_seen_timestamp_seconds{agent="pump-7"} ${START_MS / 1000}`);
  expect(answer.body).not.toMatch(/gone|never|"old"/);
  // The grammar of the text format: every line is a comment or a sample.
  for (const line of lines.filter((one) => one !== '')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) [a-zA-Z_]\w* .+|[a-zA-Z_]\w*(\{\w+="([^"\\]|\\.)*"(,\w+="([^"\\]|\\.)*")*\})? \S+)$/,
    );
  }
  await server.app.close();
});

test('the ledger, the minutes of the last day and the flags of machines that are not retired', async () => {
  const { services } = fakeServices();
  const retired = { ...someAgent, id: 'old', retiredMs: START_MS };
  let asked = 0;
  const coverage: typeof services.store.coverage = (agent, range) => {
    asked++;
    expect(range.toMs - range.fromMs).toBe(86_400_000);
    return services.store.coverage(agent, range);
  };
  const server = await startTestServer({
    services: {
      fleet: { ...services.fleet, agents: () => [someAgent, retired] },
      store: { ...services.store, coverage },
    },
  });
  const scrape = async () =>
    (await server.app.inject({ url: '/metrics', headers: { host: 'localhost' } })).body.split('\n');
  const lines = await scrape();
  for (const expected of [
    'picket_ledger_records{agent="pump-7",state="committed"} 12',
    'picket_ledger_records{agent="pump-7",state="pending"} 0',
    'picket_ledger_records{agent="pump-7",state="quarantined"} 0',
    'picket_ledger_records{agent="pump-7",state="lost"} 4',
    'picket_ledger_lost_records{agent="pump-7",cause="overflow"} 3',
    'picket_ledger_duplicates_total{agent="pump-7"} 2',
    'picket_coverage_minutes{agent="pump-7",state="covered"} 1400',
    'picket_coverage_minutes{agent="pump-7",state="missing"} 40',
    'picket_coverage_missing_minutes{agent="pump-7",cause="power_cut"} 40',
    'picket_agent_flags{agent="pump-7",kind="clone"} 1',
  ]) {
    expect(lines).toContain(expected);
  }
  expect(lines.join('\n')).not.toContain('"old"');
  // Coverage is not read anew with every scrape.
  server.clock.nowMs += 60_000;
  await scrape();
  expect(asked).toBe(1);
  server.clock.nowMs += 300_000;
  await scrape();
  expect(asked).toBe(2);
  await server.app.close();
});
