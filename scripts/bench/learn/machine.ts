/**
 * One simulated machine: the agent's own two halves, wired as `agent/agent.ts` wires them, but for three things. Its
 * input replays a trace, its time is virtual, and its outbox lies in memory (the same queue over another shelf).
 */
import { randomBytes } from 'node:crypto';
import { openApplyFiles } from '../../../agent/apply/files.ts';
import { Exports } from '../../../agent/by-hand/exports.ts';
import { type AgentConfig, agentConfigSchema } from '../../../agent/config.ts';
import { enrolAt } from '../../../agent/enrol.ts';
import type { Host, InputKind, SampleSink } from '../../../agent/inputs/input.ts';
import { inputKinds } from '../../../agent/inputs/registry.ts';
import { openMemoryOutbox } from '../../../agent/outbox/memory.ts';
import type { Outbox } from '../../../agent/outbox/outbox.ts';
import { Recorder } from '../../../agent/recorder.ts';
import { UtcEstimate } from '../../../agent/utc.ts';
import { Keeper } from '../../../agent/wiring/meta.ts';
import { Sensing } from '../../../agent/wiring/sensing.ts';
import { Uplink } from '../../../agent/wiring/uplink.ts';
import type { Clock, Instant, Timers } from '../../../shared/clock.ts';
import { parseValue } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { Incident } from '../../../shared/findings.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { Quality } from '../../../shared/series.ts';
import { logTo } from './log.ts';
import type { Replay } from './traces.ts';
import type { VirtualTime } from './virtual-time.ts';

const OUTBOX_BYTES = 16e6;
const SERIES = 64;
const BOOT_MS = 60_000;
/** Ticks are turned by hand; nothing that is replayed hangs. */
const noTimers: Timers = { after: () => null, cancel: () => undefined };

/** The process is that of all machines: what one model takes of it cannot be told, and a collection goes through all of it. */
const nobodysMemory = { usedBytes: () => 0, collect: () => undefined, reclaimBuffers: () => undefined };

export interface MachineOptions {
  readonly name: string;
  readonly replay: Replay;
  /** Row of the replay that it begins with. */
  readonly row: number;
  readonly time: VirtualTime;
  /** Time on the line, which goes by while machines and central exchange what they have. */
  readonly line: VirtualTime;
  readonly directory: string;
  /** How it gets to its central; without it, it is alone for ever. */
  readonly enrol?: { readonly url: string; readonly token: string };
}

export class Machine {
  readonly name: string;
  /** As the central calls it; null without one. */
  readonly agent: string | null;
  readonly replay: Replay;
  /** By `epoch/seq`, the latest revision of each. */
  readonly incidents = new Map<string, Incident>();
  readonly #parts: Parts;

  private constructor(options: MachineOptions, parts: Parts, incidents: Map<string, Incident>) {
    this.name = options.name;
    this.replay = options.replay;
    this.agent = parts.uplink?.agent ?? null;
    this.incidents = incidents;
    this.#parts = parts;
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const { time, replay, name } = options;
    const bornMs = time.nowMs - BOOT_MS;
    const clock: Clock = { monotonicMs: () => time.nowMs - bornMs, wallMs: () => time.nowMs };
    const { timers } = time;
    const bootId = randomBytes(16).toString('hex');
    const log = logTo(2);
    const utc = new UtcEstimate(null);
    const config = configOf();
    const outbox = await openMemoryOutbox({
      limitBytes: OUTBOX_BYTES,
      keepAcknowledgedMs: 0,
      commitIntervalMs: config.outbox.commitInterval,
      commitBytes: 64 * 1024,
      clock,
      timers,
      random: randomBytes,
      bootId,
      log,
      wall: () => ({ wallMs: time.nowMs, wallTrusted: utc.wallTrusted(clock.monotonicMs(), time.nowMs) }),
    });
    const keeper = new Keeper(outbox, () => undefined);
    let uplink: Uplink | null = null;
    const recorder = new Recorder({ outbox, clock, utc, bootId, log, appended: () => uplink?.wake() });
    const incidents = new Map<string, Incident>();
    const host: Host = { procRoot: '/nowhere', sysRoot: '/nowhere', root: '/nowhere', platform: 'linux', clock, log };
    const sensing = new Sensing({
      config,
      bootId,
      host,
      clock,
      timers: noTimers,
      utc,
      outbox,
      recorder,
      keeper,
      log,
      budget: null,
      resume: [],
      resumeBudget: null,
      resumeMutes: null,
      resumeRules: null,
      told: (incident) => incidents.set(`${incident.epoch}/${incident.seq}`, incident),
      mutesChanged: () => undefined,
      ticked: (now) => uplink?.tick(now),
      modelBroken: (slot, reason) => uplink?.apply.broken(slot, reason),
    });
    leaveOutOwn(sensing);
    const player = new Player(replay, options.row);
    sensing.runner.add('replay', kindOf(player), {});
    await sensing.runner.start();
    if (options.enrol !== undefined) {
      const { url, token } = options.enrol;
      const enrolment = await enrolAt(url, undefined, { token, name });
      uplink = new Uplink({
        enrolment,
        config,
        version: '0.0.0',
        bootId,
        clock,
        timers: options.line.timers,
        utc,
        outbox,
        keeper,
        applyStore: await openApplyFiles(`${options.directory}/${name}`),
        sensing,
        budget: null,
        configuration: undefined,
        incarnation: null,
        exports: await Exports.open({ outbox, random: randomBytes, failed: () => undefined }),
        log,
        warnings: () => [],
        memory: nobodysMemory,
      });
      await uplink.start();
    }
    return new Machine(options, { sensing, outbox, uplink, player }, incidents);
  }

  /** One minute's sample, and all that the agent makes of it. */
  tick(): void {
    this.#parts.sensing.runner.tick();
  }

  /** The next row that it replays. */
  get row(): number {
    return this.#parts.player.row;
  }

  /** Nothing waits to be sent or answered. */
  get isQuiet(): boolean {
    return this.#parts.uplink === null || this.#parts.outbox.stats().pendingRecords === 0;
  }

  get connected(): boolean {
    return this.#parts.uplink === null || this.#parts.uplink.connectedSinceMs !== null;
  }

  /** Slots in which a model of the central runs. */
  get models(): readonly string[] {
    return this.#parts.uplink?.applied().applied.map(({ slot }) => slot) ?? [];
  }

  /** For good. */
  async stop(): Promise<void> {
    const { sensing, uplink, outbox } = this.#parts;
    await sensing.runner.stop();
    await uplink?.stop();
    await outbox.close();
  }
}

interface Parts {
  readonly sensing: Sensing;
  readonly outbox: Outbox;
  readonly uplink: Uplink | null;
  readonly player: Player;
}

class Player {
  row: number;
  readonly #replay: Replay;
  #numbers: number[] | null = null;

  constructor(replay: Replay, row: number) {
    this.#replay = replay;
    this.row = row;
  }

  read(_now: Instant, sink: SampleSink): void {
    const { metrics, columns } = this.#replay;
    this.#numbers ??= metrics.map((name) => sink.series({ name, unit: '1', attributes: {}, kind: 'gauge' }));
    for (const [i, column] of columns.entries()) sink.put(this.#numbers[i]!, column[this.row]!, Quality.good);
    this.row++;
  }
}

function kindOf(player: Player): InputKind<unknown> {
  return {
    doc: 'Replays a trace.',
    config: object({ doc: 'None.', keys: {} }),
    automatic: () => false,
    timing: () => ({ intervalMs: MINUTE_MS, deadlineMs: MINUTE_MS }),
    open: async () => ({ read: (now, sink) => player.read(now, sink), close: async () => undefined }),
  };
}

/** An agent's defaults, but for inputs and what memory forty of them in one process may take. */
function configOf(): AgentConfig {
  const inputs = Object.fromEntries([...inputKinds.keys()].map((kind) => [kind, false]));
  const limits = { series: SERIES, recentMemory: '256kB' };
  const parsed = parseValue(agentConfigSchema(inputKinds), { inputs, limits, timezone: 'UTC' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

/** An agent's own figures (its memory, its processor time, its ticks) are here those of all machines together. */
function leaveOutOwn({ intake }: Sensing): void {
  const all = intake.series.bind(intake);
  intake.series = (definition) => (/^(picket|process)\./.test(definition.name) ? -1 : all(definition));
}
