/** A central's models over a store in memory, with history that a test makes. */

import { openKeys } from '../../central/keys.ts';
import { ModelsService } from '../../central/models.ts';
import type { ModelsOptions } from '../../central/models-options.ts';
import { MemoryDocuments } from '../../central/store/memory-documents.ts';
import type {
  CoverageDay,
  Documents,
  LatestSeries,
  Store,
  StoredCoMoments,
  SummaryBlock,
  TimeRange,
} from '../../central/store/store.ts';
import { seededRandom } from './history.ts';
import { ManualTimers, silentLog } from './timers.ts';

/** The part of a store that training reads. */
export class HistoryStore {
  readonly documents: Documents;
  /** By agent. */
  readonly blocks = new Map<string, SummaryBlock[]>();
  /** Hours of groups, by agent. */
  readonly groups = new Map<string, StoredCoMoments[]>();
  /** What agents say of themselves. */
  readonly inventories = new Map<string, unknown>();

  constructor(documents: Documents = new MemoryDocuments()) {
    this.documents = documents;
  }

  document = async (agent: string): Promise<{ timeMs: number; json: unknown } | null> => {
    const json = this.inventories.get(agent);
    return json === undefined ? null : { timeMs: 0, json };
  };

  latest = async (agent: string): Promise<LatestSeries[]> =>
    (this.blocks.get(agent) ?? []).map((block) => ({
      ...block.key,
      id: block.series,
      timeMs: block.timesMs.at(-1)!,
      mean: block.mean.at(-1)!,
      min: block.min.at(-1)!,
      max: block.max.at(-1)!,
      last: block.last.at(-1)!,
      anomalyShare: 0,
      highestScore: 0,
    }));

  /** Minutes that any series has. */
  coverage = async (agent: string, { fromMs, toMs }: TimeRange): Promise<CoverageDay[]> => {
    const ends = new Set((this.blocks.get(agent) ?? []).flatMap(({ timesMs }) => [...timesMs]));
    const covered = [...ends].filter((endMs) => endMs > fromMs && endMs <= toMs).length;
    return [{ dayMs: fromMs, covered } as CoverageDay];
  };

  coMoments = async function* (
    this: HistoryStore,
    agent: string,
    { fromMs, toMs }: TimeRange,
  ): AsyncGenerator<StoredCoMoments> {
    yield* (this.groups.get(agent) ?? []).filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs);
  }.bind(this);

  query = async (agent: string, series: readonly string[]): Promise<SummaryBlock[]> =>
    (this.blocks.get(agent) ?? []).filter((block) => series.includes(block.series));
}

export class LearningCentral {
  readonly store: HistoryStore;
  readonly timers = new ManualTimers();
  readonly published: { agent: string; bytes: Uint8Array }[] = [];
  readonly changes: string[] = [];
  readonly models: ModelsService;
  nowMs = Date.UTC(2026, 0, 5);

  private constructor(store: HistoryStore, keys: ModelsOptions['keys'], change: Partial<ModelsOptions>) {
    this.store = store;
    this.models = new ModelsService({
      store: store as unknown as Store,
      keys,
      nowMs: () => this.nowMs,
      timers: this.timers,
      random: seededRandom(1),
      log: silentLog,
      publishDesired: async (agent, bytes) => {
        this.published.push({ agent, bytes });
      },
      agents: () => [...store.blocks.keys()],
      changed: (agent, version) => {
        this.changes.push(`${agent} ${version}`);
      },
      ...change,
    });
  }

  /** Keys lie in `directory`, as a central's do. */
  static async start(
    directory: string,
    store = new HistoryStore(),
    change: Partial<ModelsOptions> = {},
  ): Promise<LearningCentral> {
    const central = new LearningCentral(store, await openKeys(directory), change);
    await central.models.start();
    return central;
  }

  /** The latest manifest for an agent, read without verifying it. */
  manifest(agent: string): {
    version: number;
    releases: { slot: string; releaseSha256: string }[];
    notAfterMs: number;
  } {
    const { bytes } = this.published.findLast((each) => each.agent === agent)!;
    const { payload } = JSON.parse(Buffer.from(bytes).toString()) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString());
  }
}
