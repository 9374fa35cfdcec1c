/**
 * What the agent costs at rest at 1 Hz on this machine: the executable, with the flags and the environment that its
 * systemd unit gives it, enrolled at a central and sending to it. Beside it, as the floor, a Node that does nothing but
 * wake each second, with the same flags, in the same minute.
 *
 * CPU by the scheduler's clock over all threads; memory as medians of /proc/PID/smaps_rollup; written bytes are what
 * the kernel was made to write to disks; sent bytes are counted by a relay before the broker, without TCP's headers.
 *
 * `node scripts/bench/agent.ts` prints the figures; it takes two and a half minutes.
 */
import { execFileSync } from 'node:child_process';
import { createServer, connect as openSocket, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../test/support/processes.ts';
import { Central, freePort, System } from '../../test/support/system.ts';
import { executable } from '../build/executables.ts';
import { programs } from '../build/programs.ts';
import { runtimeOf, runtimeVersion } from '../build/runtimes.ts';
import { hostTarget, targets } from '../build/targets.ts';
import { median, memoryOf, usageOf } from './process-cost.ts';

/** The first window, its compilations and the first sync lie before it. */
const WARM_UP_MS = 75_000;
const MEASURED_MS = 60_000;
const SAMPLE_MS = 5_000;
const SERIES_OF_A_QUERY = 64;
const MINUTE_MS = 60_000;

/** As agent/systemd.ts. */
const environment = { UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '1' };

interface Relay {
  readonly port: number;
  /** Bytes that went to the broker, and that came from it. */
  readonly counts: { up: number; down: number };
  close(): void;
}

async function startRelay(target: number): Promise<Relay> {
  const counts = { up: 0, down: 0 };
  const server: Server = createServer((near) => {
    const far = openSocket(target, '127.0.0.1');
    near.on('data', (bytes) => (counts.up += bytes.length));
    far.on('data', (bytes) => (counts.down += bytes.length));
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' ? address!.port : 0, counts, close: () => server.close() };
}

/** Values of the newest whole window, as the central has them: in a second, and the series that they are of. */
async function valuesOf(central: Central, agent: string): Promise<{ perSecond: number; series: number }> {
  const { series } = await central.get<{ series: { id: string; timeMs: number }[] }>(`/agents/${agent}/series`);
  const newestMs = Math.max(...series.map(({ timeMs }) => timeMs));
  const current = series.filter(({ timeMs }) => timeMs === newestMs).map(({ id }) => id);
  let values = 0;
  for (let start = 0; start < current.length; start += SERIES_OF_A_QUERY) {
    const ids = current.slice(start, start + SERIES_OF_A_QUERY).join(',');
    const range = `from=${newestMs - MINUTE_MS}&to=${newestMs + MINUTE_MS}&resolution=minute&columns=count`;
    const answer = await central.get<{ series: { timesMs: number[]; count: number[] }[] }>(
      `/agents/${agent}/summaries?series=${ids}&${range}`,
    );
    for (const one of answer.series) values += one.count[one.timesMs.indexOf(newestMs)] ?? 0;
  }
  return { perSecond: values / (MINUTE_MS / 1000), series: current.length };
}

/**
 * The page cache as after a start of the machine. What a build has just written is still dirty, and would be counted as
 * the process's own; and it lies there in larger pieces than what is read, each of which counts whole.
 */
function settle(file: string): void {
  execFileSync('sync');
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
}

/** A Node that only wakes each second, with the agent's flags. */
async function startFloor(system: System) {
  const target = targets.find(({ name }) => name === hostTarget)!;
  const node = await runtimeOf(
    target,
    await runtimeVersion(),
    join(import.meta.dirname, '..', '..', '.build', 'runtimes'),
  );
  const { flags } = programs.find(({ name }) => name === 'picket-agent')!;
  return system.start('floor', [node, ...flags, '-e', 'setInterval(() => {}, 1000)'], { env: environment });
}

export async function run(): Promise<Record<string, number>> {
  const [agentFile, centralFile] = [await executable('picket-agent'), await executable('picket-central')];
  const system = new System();
  let relay: Relay | null = null;
  try {
    const mqttPort = await freePort();
    const data = system.path('central');
    const listen = ['--http', '127.0.0.1:0', '--mqtt', `127.0.0.1:${mqttPort}`];
    const central = new Central(system, 'central', data, [centralFile, 'run', ...listen, '--data', data], '');
    await central.start();
    relay = await startRelay(mqttPort);
    const config = system.write('agent.yaml', `connection:\n  broker: mqtt://127.0.0.1:${relay.port}\n`);
    settle(agentFile);
    const agentData = system.path('agent');
    const agent = system.start('agent', [agentFile, 'run', '--config', config, '--data', agentData], {
      env: { ...environment, PICKET_ENROL_URL: central.url, PICKET_TOKEN: await central.token(), PICKET_NAME: 'bench' },
    });
    const floor = await startFloor(system);
    const id = await until('the agent is enrolled', async () => {
      return (await central.get<{ agents: { id: string }[] }>('/agents')).agents[0]?.id;
    });
    await pause(WARM_UP_MS);
    const before = { agent: usageOf(agent.pid), floor: usageOf(floor.pid), ...relay.counts };
    const memory: ReturnType<typeof memoryOf>[] = [];
    for (let passed = 0; passed < MEASURED_MS; passed += SAMPLE_MS) {
      await pause(SAMPLE_MS);
      memory.push(memoryOf(agent.pid));
    }
    const after = { agent: usageOf(agent.pid), floor: usageOf(floor.pid), ...relay.counts };
    const seconds = (after.agent.atMs - before.agent.atMs) / 1000;
    const perMinute = (bytes: number): number => (bytes * 60) / seconds;
    const values = await valuesOf(central, id);
    const sent = perMinute(after.up - before.up);
    const floorMemory = memoryOf(floor.pid);
    return {
      cpu_ms_per_s: (after.agent.cpuMs - before.agent.cpuMs) / seconds,
      rss_mb: median(memory.map(({ rssMb }) => rssMb)),
      private_dirty_mb: median(memory.map(({ privateDirtyMb }) => privateDirtyMb)),
      values_per_s: values.perSecond,
      series: values.series,
      sent_bytes_per_min: sent,
      received_bytes_per_min: perMinute(after.down - before.down),
      written_bytes_per_min: perMinute(after.agent.writtenBytes - before.agent.writtenBytes),
      bytes_per_metric_minute: sent / values.series,
      floor_cpu_ms_per_s: (after.floor.cpuMs - before.floor.cpuMs) / seconds,
      floor_rss_mb: floorMemory.rssMb,
      floor_private_dirty_mb: floorMemory.privateDirtyMb,
    };
  } finally {
    relay?.close();
    await system.close();
  }
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) console.log(`${name.padEnd(44)} ${value.toFixed(2)}`);
}
