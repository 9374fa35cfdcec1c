/**
 * A week offline, then a connection: seven days of one-minute summaries of 300 series wait in the outbox.
 *
 *   - the executable agent drains it as fast as it can: bytes a second as a ratio to what the embedded broker alone
 *     takes from one publisher in the same run; its memory beside that of an agent without a backlog, at the same time;
 *     how much of the minutes had come when all hours were there
 *   - live latency beside the drain, at the default rate and without a bound: from a record's making to the central's
 *     acknowledgement after its commit
 *
 * `node scripts/bench/backlog.ts` prints the figures; it takes about four minutes.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import mqtt from 'mqtt';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { upTopic } from '../../shared/wire/topics.ts';
import type { Program } from '../../test/support/processes.ts';
import { Central, freePort, System } from '../../test/support/system.ts';
import { executable } from '../build/executables.ts';
import { type Backlog, fillBacklog } from './backlog-fill.ts';
import { type Memory, median, memoryOf } from './process-cost.ts';

const SERIES = 300;
const HOURS = 7 * 24;
const CEILING_MS = 5_000;
const CEILING_PAYLOAD_BYTES = 48 * 1024;
const CEILING_IN_FLIGHT = 8;
const LIVE_S = 45;
const DEFAULT_RATE_S = 60;
const DEFAULT_RATE = 64_000;
const UNBOUND = 0;
const SAMPLE_MS = 500;
const DEADLINE_MS = 10 * 60_000;
/** As agent/systemd.ts. */
const environment = { UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '1' };

/** Bytes a second that the embedded broker takes from one publisher at QoS 1 and hands to its reader. */
async function brokerCeiling(system: System): Promise<number> {
  const broker = system.start('broker', [process.execPath, join(import.meta.dirname, 'backlog-broker.ts')]);
  const [, port] = await broker.said(/^port (\d+)$/m);
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 4,
    clientId: 'bench',
    username: 'bench',
    password: 'bench',
  });
  const payload = randomBytes(CEILING_PAYLOAD_BYTES);
  const startMs = performance.now();
  let sent = 0;
  const publisher = async (): Promise<void> => {
    while (performance.now() - startMs < CEILING_MS) {
      await client.publishAsync(upTopic('picket/1', 'bench', 'records'), payload, { qos: 1 });
      sent += payload.length;
    }
  };
  await Promise.all(Array.from({ length: CEILING_IN_FLIGHT }, publisher));
  const bytesPerS = (sent * 1000) / (performance.now() - startMs);
  await client.endAsync(true);
  await broker.end('SIGKILL');
  return bytesPerS;
}

interface Ledger {
  readonly totals: { readonly made: number; readonly pending: number; readonly lost: number };
  readonly coverage: readonly { readonly covered: number }[];
}

/** Hours of one series that the central shows. */
async function hoursOf(central: Central, agent: string, range: string): Promise<number> {
  const { series } = await central.get<{ series: { id: string; name: string }[] }>(`/agents/${agent}/series`);
  const one = series.find(({ name }) => name === 'bench.series.1');
  if (one === undefined) return 0;
  const query = `series=${one.id}&${range}&resolution=hour&columns=count`;
  const answer = await central.get<{ series: { timesMs: number[] }[] }>(`/agents/${agent}/summaries?${query}`);
  return answer.series[0]?.timesMs.length ?? 0;
}

async function startAgent(system: System, file: string, name: string, rate = 'backlogRate: 100MB'): Promise<Program> {
  const config = system.write(`${name}.yaml`, `${rate}\noutbox: {size: 256MB}\n`);
  return system.start(name, [file, 'run', '--config', config, '--data', system.path(name)], { env: environment });
}

function aboveRest(
  name: string,
  memory: readonly Record<'drain' | 'rest', Memory>[],
  mb: (memory: Memory) => number,
): Record<string, number> {
  const rest = median(memory.map((one) => mb(one.rest)));
  const highest = Math.max(...memory.map((one) => mb(one.drain)));
  return {
    [`${name}_mb_at_rest`]: rest,
    [`${name}_mb_draining_highest`]: highest,
    [`${name}_mb_above_rest`]: highest - rest,
  };
}

async function drain(system: System, central: Central, file: string): Promise<Record<string, number>> {
  const [enrolment, resting] = [await central.enrol('drain'), await central.enrol('rest')];
  const { agent } = enrolment;
  const endMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const backlog: Backlog = await fillBacklog(join(system.path('drain'), 'outbox'), SERIES, HOURS, endMs);
  mkdirSync(system.path('rest'), { recursive: true });
  writeFileSync(join(system.path('drain'), 'enrolment.json'), JSON.stringify(enrolment), { mode: 0o600 });
  writeFileSync(join(system.path('rest'), 'enrolment.json'), JSON.stringify(resting), { mode: 0o600 });
  const atRest = await startAgent(system, file, 'rest');
  await atRest.said(/"msg":"connected"/);
  const draining = await startAgent(system, file, 'drain');
  await draining.said(/"msg":"connected"/);
  const startMs = performance.now();
  const memory: Record<'drain' | 'rest', Memory>[] = [];
  let hoursAtMs = 0;
  let minutesWhenHours = 0;
  const range = `from=${endMs - HOURS * HOUR_MS}&to=${endMs}`;
  for (;;) {
    memory.push({ drain: memoryOf(draining.pid), rest: memoryOf(atRest.pid) });
    const { totals, coverage } = await central.get<Ledger>(`/agents/${agent}/ledger?${range}`);
    if (hoursAtMs === 0 && (await hoursOf(central, agent, range)) >= backlog.hours) {
      hoursAtMs = performance.now() - startMs;
      minutesWhenHours = coverage.reduce((sum, day) => sum + day.covered, 0);
    }
    if (totals.made >= backlog.records && totals.pending === 0) break;
    if (performance.now() - startMs > DEADLINE_MS) throw new Error('the backlog did not drain in ten minutes');
    await pause(SAMPLE_MS);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const { totals } = await central.get<Ledger>(`/agents/${agent}/ledger`);
  await Promise.all([draining.end('SIGTERM'), atRest.end('SIGTERM')]);
  return {
    backlog_records: backlog.records,
    backlog_mb: backlog.payloadBytes / 1e6,
    drain_s: seconds,
    drain_bytes_per_s: backlog.payloadBytes / seconds,
    lost_records: totals.lost,
    hours_after_s: hoursAtMs / 1000,
    minutes_share_when_hours_were_there: minutesWhenHours / (HOURS * 60),
    ...aboveRest('rss', memory, ({ rssMb }) => rssMb),
    ...aboveRest('anonymous', memory, ({ anonymousMb }) => anonymousMb),
  };
}

/** Memory at the rate that the agent has where nobody sets one, beside that of an agent at rest, for a minute. */
async function drainAtDefaultRate(system: System, central: Central, file: string): Promise<Record<string, number>> {
  const memory: Record<'drain' | 'rest', Memory>[] = [];
  const started: Record<string, Program> = {};
  for (const name of ['slow-rest', 'slow']) {
    const enrolment = await central.enrol(name);
    mkdirSync(system.path(name), { recursive: true });
    if (name === 'slow') {
      await fillBacklog(
        join(system.path(name), 'outbox'),
        SERIES,
        HOURS,
        Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS,
      );
    }
    writeFileSync(join(system.path(name), 'enrolment.json'), JSON.stringify(enrolment), { mode: 0o600 });
    started[name] = await startAgent(system, file, name, '');
    await started[name].said(/"msg":"connected"/);
  }
  for (let i = 0; i < DEFAULT_RATE_S; i++) {
    memory.push({ drain: memoryOf(started.slow!.pid), rest: memoryOf(started['slow-rest']!.pid) });
    await pause(1000);
  }
  await Promise.all(Object.values(started).map((program) => program.end('SIGTERM')));
  return {
    ...aboveRest('default_rate_rss', memory, ({ rssMb }) => rssMb),
    ...aboveRest('default_rate_anonymous', memory, ({ anonymousMb }) => anonymousMb),
  };
}

/** Latency of what is made while a backlog of this rate drains beside it. */
async function live(system: System, central: Central, name: string, rate: number): Promise<Record<string, number>> {
  const enrolment = await central.enrol(name);
  const directory = join(system.path(name), 'outbox');
  await fillBacklog(directory, SERIES, HOURS, Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS);
  const file = system.write(`${name}.json`, JSON.stringify(enrolment));
  const command = [join(import.meta.dirname, 'backlog-live.ts'), directory, file, String(rate), String(LIVE_S)];
  const child = system.start(name, [process.execPath, ...command]);
  const [, said] = await child.said(/^(\{"latencies".*\})$/m, 3 * 60_000);
  const { latencies, unanswered, pendingBefore, pendingAfter } = JSON.parse(said!) as {
    latencies: number[];
    unanswered: number;
    pendingBefore: number;
    pendingAfter: number;
  };
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
  return {
    [`live_p50_ms_${name}`]: at(0.5),
    [`live_p99_ms_${name}`]: at(0.99),
    [`live_highest_ms_${name}`]: latencies.at(-1)!,
    [`live_records_${name}`]: latencies.length,
    [`live_unanswered_${name}`]: unanswered,
    [`live_drained_share_${name}`]: 1 - pendingAfter / pendingBefore,
  };
}

export async function run(): Promise<Record<string, number>> {
  const [agentFile, centralFile] = [await executable('picket-agent'), await executable('picket-central')];
  const system = new System();
  try {
    const ceiling = await brokerCeiling(system);
    const data = system.path('central');
    const listen = ['--http', '127.0.0.1:0', '--mqtt', `127.0.0.1:${await freePort()}`];
    const central = new Central(system, 'central', data, [centralFile, 'run', ...listen, '--data', data], '');
    await central.start();
    const drained = await drain(system, central, agentFile);
    return {
      ...drained,
      ...(await drainAtDefaultRate(system, central, agentFile)),
      broker_ceiling_bytes_per_s: ceiling,
      drain_ratio_to_broker: drained.drain_bytes_per_s! / ceiling,
      ...(await live(system, central, 'default_rate', DEFAULT_RATE)),
      ...(await live(system, central, 'unbound', UNBOUND)),
    };
  } finally {
    await system.close();
  }
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) console.log(`${name.padEnd(44)} ${value.toFixed(2)}`);
}
