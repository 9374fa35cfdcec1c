/**
 * Training of a whole fleet from 30 days of hourly rollups, 300 series a machine, by the central's own parts: store,
 * models' service, threads. Meanwhile agents' minutes come in at the rate of 1,000 machines, as they did for a minute
 * before; how long each waits for its acknowledgement is compared.
 *
 * `npm run bench -- training [--machines N] [--json FILE]`: a tenth of the machines, a third, and all of them, each in a
 * process of its own with the executable's flags; memory is the most that the whole process ever had (VmHWM), threads
 * and the store's mapped files included, and the most of it that is no file's. The store is filled before, by another process.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Labels } from '../../central/feedback/labels.ts';
import { Maintenance } from '../../central/feedback/maintenance.ts';
import { openKeys } from '../../central/keys.ts';
import { ModelsService } from '../../central/models.ts';
import { Database } from '../../central/store/database.ts';
import { startingWith } from '../../central/store/keys.ts';
import { openLevelStore } from '../../central/store/level.ts';
import { knowledgeOf } from '../../central/train/knowledge.ts';
import { TrainingPool } from '../../central/train/thread/pool.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import { programs } from '../build/programs.ts';
import { realTimers, silentLog } from './backlog-fill.ts';
import { END_MS, machineOf, TELLING } from './training-fill.ts';
import { FleetLoad } from './training-load.ts';

const MACHINES = 1000;
/** A minute of each that tells a minute. */
const PER_SECOND = TELLING / 60;
/** How long ingestion is measured at rest, where it is. */
const REST_MS = 60_000;
/** Of anonymous memory, of which the kernel keeps no peak. */
const SAMPLE_MS = 500;

type Figures = Record<string, number>;

/** Most memory that this process had so far, MB. */
async function peakMb(): Promise<number> {
  const status = await readFile('/proc/self/status', 'latin1');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024) / 1e6;
}

/** Anonymous memory of this process now, MB: without the store's mapped files, which the system takes back as it likes. */
async function anonymousMb(): Promise<number> {
  const status = await readFile('/proc/self/status', 'latin1');
  return (Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)![1]) * 1024) / 1e6;
}

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The child's part. */
async function measure(directory: string, machines: number, restMs: number): Promise<Figures> {
  const store = await openLevelStore(join(directory, 'store'));
  const nowMs = (): number => END_MS + HOUR_MS;
  const timers = realTimers;
  const labels = new Labels({ store, nowMs });
  const maintenance = new Maintenance({ documents: store.documents, siteOf: () => '', nowMs });
  const learning = {
    knowledge: (agent: string, range: { fromMs: number; toMs: number }) =>
      knowledgeOf({ store, labels, maintenance }, agent, range),
    meanings: async () => {},
  };
  const agents = Array.from({ length: machines }, (_, i) => machineOf(i + 1));
  const load = new FleetLoad(store, PER_SECOND);
  load.start();
  // What comes first compiles the code.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  load.takeWaits();
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const rest = load.takeWaits();
  const restMb = await peakMb();

  const problems: string[] = [];
  const models = new ModelsService({
    store,
    keys: await openKeys(join(directory, `keys-${machines}`)),
    nowMs,
    timers,
    random: () => 0.5,
    log: { ...silentLog, error: (about) => problems.push(JSON.stringify(about)) },
    ...learning,
    trainings: new TrainingPool({ store, ...learning, timers }),
    publishDesired: async () => {},
    agents: () => agents,
    changed: () => {},
  });
  await models.start();
  let anonMb = 0;
  const sampling = setInterval(async () => {
    anonMb = Math.max(anonMb, await anonymousMb());
  }, SAMPLE_MS);
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const made = await models.trainNow();
  const seconds = (performance.now() - startedMs) / 1000;
  clearInterval(sampling);
  const { user, system } = process.cpuUsage(cpu);
  const training = load.takeWaits();
  await load.stop();
  await models.close();
  const figures = {
    machines,
    seconds,
    ms_per_machine: (seconds * 1000) / machines,
    cpu_s: (user + system) / 1e6,
    models: made.length,
    published: made.filter(({ state }) => state === 'published').length,
    series_per_model: made.reduce((sum, { series }) => sum + series, 0) / made.length,
    history_days: made.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs) / 86_400_000, 0) / made.length,
    peak_rss_mb: await peakMb(),
    peak_anonymous_mb: anonMb,
    peak_rss_before_training_mb: restMb,
    ingest_rest_p50_ms: at(rest, 0.5),
    ingest_rest_p99_ms: at(rest, 0.99),
    ingest_training_p50_ms: at(training, 0.5),
    ingest_training_p99_ms: at(training, 0.99),
    ingest_training_samples: training.length,
    ingest_failed: load.failed,
  };
  await store.close();
  if (problems.length > 0 || made.length !== machines) throw new Error(`training failed: ${problems[0]}`);
  return figures;
}

/** Without the models of the run before, which would be champions. */
async function forgetModels(directory: string): Promise<void> {
  const database = await Database.open(join(directory, 'store'));
  await database.clear(startingWith('document'));
  await database.clear(startingWith('blob'));
  await database.close();
}

async function inChild(script: string, flags: readonly string[], args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
}

export async function run(_data?: string, machines = MACHINES): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'picket-bench-training-'));
  try {
    await inChild('training-fill.ts', [], [join(directory, 'store'), String(machines)]);
    const { flags } = programs.find(({ name }) => name === 'picket-central')!;
    const out: Figures = {};
    for (const part of [Math.round(machines / 10), Math.round(machines * 0.3), machines]) {
      await forgetModels(directory);
      const file = join(directory, 'figures.json');
      await inChild('training.ts', flags, [directory, String(part), file, String(part === machines ? REST_MS : 0)]);
      const figures = JSON.parse(await readFile(file, 'utf8')) as Figures;
      if (part === machines) Object.assign(out, figures);
      else {
        for (const name of ['seconds', 'ms_per_machine', 'peak_rss_mb', 'peak_anonymous_mb'])
          out[`of_${part}_${name}`] = figures[name]!;
      }
    }
    out.ingest_p50_ratio = out.ingest_training_p50_ms! / out.ingest_rest_p50_ms!;
    out.ingest_p99_ratio = out.ingest_training_p99_ms! / out.ingest_rest_p99_ms!;
    return out;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [directory, machines, file, restMs] = process.argv.slice(2);
  await writeFile(file!, JSON.stringify(await measure(directory!, Number(machines), Number(restMs))));
  process.exit(0);
}
