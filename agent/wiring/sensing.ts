/**
 * The half of the agent that needs nobody: from inputs to records in the outbox.
 *
 *     inputs ─► intake (preprocess, detect, summarise, recent) ─► windows ─► recorder
 *                        ├─► incidents ─► recorder, evidence        └─► models ─► incidents
 *                        └─► groups ─► incidents
 */
import type { Clock, Instant, Timers } from '../../shared/clock.ts';
import { codeOf, messageOf } from '../../shared/errors.ts';
import { AGENT_STATE, AGENT_STOPPED, type Finding, type Incident } from '../../shared/findings.ts';
import { MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { AGENT_MUTE } from '../../shared/mute.ts';
import { Quality } from '../../shared/series.ts';
import { encodeEvents, type WireEvent } from '../../shared/wire/codec.ts';
import { AgentBudget } from '../budget.ts';
import { type AgentConfig, chooseInputs } from '../config.ts';
import { DetectStage } from '../detect.ts';
import { EvidenceStage } from '../evidence.ts';
import { ForecastStage } from '../forecast.ts';
import { GroupStage } from '../groups.ts';
import { Health } from '../health.ts';
import { ChangeLog } from '../incidents/change-log.ts';
import type { TopProcesses } from '../incidents/change-words.ts';
import { IncidentStage } from '../incidents.ts';
import type { Host } from '../inputs/input.ts';
import { inputKinds } from '../inputs/registry.ts';
import { InputRunner } from '../inputs/runner.ts';
import { ModelSlots } from '../models/slots.ts';
import { ModelStage } from '../models.ts';
import { MuteStage } from '../mutes.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { Preprocess } from '../preprocess.ts';
import { QualityStage } from '../quality.ts';
import { RecentRing } from '../recent.ts';
import type { Recorder } from '../recorder.ts';
import { rulesOf } from '../rules/settings.ts';
import { RuleStage } from '../rules.ts';
import { SeriesRegistry } from '../series.ts';
import { Summariser } from '../summarise.ts';
import type { UplinkBudget } from '../uplink/budget.ts';
import type { UtcEstimate } from '../utc.ts';
import { GroupWindows } from './group-windows.ts';
import { AgentIntake } from './intake.ts';
import type { Keeper } from './meta.ts';
import { Windows } from './windows.ts';

/** Below this share of the bar for findings nothing is unusual. */
const USUAL_SHARE = 0.5;

/** A wall clock that is behind the day on which this was written is wrong. */
const OLDEST_WALL_MS = Date.UTC(2026, 0, 1);

export interface SensingOptions {
  readonly config: AgentConfig;
  readonly bootId: string;
  readonly host: Host;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly utc: UtcEstimate;
  readonly outbox: Outbox;
  readonly recorder: Recorder;
  readonly keeper: Keeper;
  readonly log: Log;
  /** Of the uplink; null without one. */
  readonly budget: UplinkBudget | null;
  /** Incidents that were open when the agent ended. */
  readonly resume: readonly Incident[];
  /** What was spent of the budgets of findings and notifications. */
  readonly resumeBudget: Uint8Array | null;
  /** What was muted, and what fired, when the agent ended. */
  readonly resumeMutes: Uint8Array | null;
  readonly resumeRules: Uint8Array | null;
  /** Told of each revision of an incident. */
  readonly told?: (incident: Incident) => void;
  /** What is muted is otherwise than before. */
  readonly mutesChanged: () => void;
  /** After all values of a tick are in. */
  readonly ticked: (now: Instant) => void;
  /** The model of a slot is no good. */
  readonly modelBroken: (slot: string, reason: string) => void;
}

/** Everything that is measured, judged and recorded here. */
export class Sensing {
  readonly registry: SeriesRegistry;
  readonly detect: DetectStage;
  readonly groups: GroupStage;
  readonly grouped: GroupWindows;
  readonly slots: ModelSlots;
  readonly incidents: IncidentStage;
  readonly models: ModelStage;
  readonly forecast: ForecastStage;
  readonly rules: RuleStage;
  readonly quality: QualityStage;
  readonly recent: RecentRing;
  readonly intake: AgentIntake;
  readonly runner: InputRunner;
  readonly windows: Windows;
  readonly evidence: EvidenceStage;
  readonly budget: AgentBudget;
  readonly changes: ChangeLog;
  readonly mutes: MuteStage;
  readonly #options: SensingOptions;

  constructor(options: SensingOptions) {
    const { config, host, clock, timers, utc, recorder, keeper, log, outbox, budget } = options;
    // Under a budget the length of what is told may change: minutes are made, and tens of them.
    const makesBoth = budget !== null && config.window === undefined;
    this.#options = options;
    const limit = config.limits.series;
    const registry = new SeriesRegistry({ limit, log });
    const preprocess = new Preprocess(limit);
    const summariser = new Summariser(limit, true, makesBoth);
    this.registry = registry;
    this.recent = new RecentRing({ memoryBytes: config.limits.recentMemory, series: limit });
    this.budget = new AgentBudget({
      ...config.budget,
      saved: options.resumeBudget,
      keep: (state) => keeper.budget(state),
      log,
    });
    this.changes = new ChangeLog(clock.monotonicMs());
    this.detect = new DetectStage({
      limit,
      series: registry,
      log,
      budget: this.budget.machine,
      zone: config.timezone ?? null,
      onFinding: (finding) => this.#tell(finding, this.now()),
    });
    this.groups = new GroupStage({
      series: registry,
      latest: (series) => this.intake.latest[series] ?? Number.NaN,
      barBits: () => this.budget.machine.bar(),
      setTrials: (perDay) => this.budget.machine.setTrials('groups', perDay),
      log,
      onFinding: (finding, at) => this.#tell(finding, at),
    });
    this.models = new ModelStage({
      limit,
      windowMs: () => config.window ?? (makesBoth ? (budget.plan.windowMs ?? TEN_MINUTES_MS) : MINUTE_MS),
      series: registry,
      onFinding: (finding, at) => this.#tell(finding, at),
      onBroken: (slot, reason) => options.modelBroken(slot, reason),
      clockMs: () => clock.monotonicMs(),
    });
    this.mutes = new MuteStage({
      bootId: options.bootId,
      log,
      keep: (saved) => keeper.mutes(saved),
      changed: (text, at) => {
        this.intake.state({ name: AGENT_MUTE, unit: '', attributes: {} }, text, at, Quality.good);
        this.rules.retell(at);
        options.mutesChanged();
      },
    });
    this.rules = new RuleStage({
      rules: rulesOf(config.rules),
      limit,
      series: registry,
      latest: (series) => this.intake.latest[series] ?? Number.NaN,
      log,
      onFinding: (finding, at) => this.#tell(finding, at),
      keep: (saved) => keeper.rules(saved),
    });
    this.quality = new QualityStage({
      limit,
      series: registry,
      latest: (series) => this.intake.latest[series] ?? Number.NaN,
      clock,
      centralOffsetMs: () => utc.offsetMs,
      log,
      onFinding: (finding, at) => this.incidents.add(finding, at),
    });
    this.incidents = new IncidentStage({
      log,
      zone: () => config.timezone ?? null,
      barBits: () => this.budget.machine.bar(),
      budget: this.budget.machine,
      notice: (asked) => this.budget.notices.judge(asked),
      changesBefore: (monotonicMs, offsetMs) => this.changes.before(monotonicMs, offsetMs),
      open: async (draft) => {
        const key = await recorder.appendJson('incident', draft, 'incident', { urgent: true });
        if (key === null) throw new Error('the record of an incident could not be kept');
        const opened = { ...draft, epoch: key.epoch, seq: key.seq };
        this.#follow(opened);
        return opened;
      },
      revise: (incident) => {
        void recorder.appendJson('incident', incident, 'incident', { urgent: true });
        this.#follow(incident);
      },
    });
    this.windows = new Windows({
      clock,
      utc,
      nominalMs: config.window ?? MINUTE_MS,
      registry,
      summariser,
      recorder,
      budget,
      makesTens: makesBoth,
      usualBits: () => this.detect.barBits * USUAL_SHARE,
      closed: (numbers, columns, window) => {
        this.models.score(numbers, columns, window);
        this.#guarded('groups', () => this.grouped.closed(numbers, columns, window));
        this.#guarded('forecast', () => this.forecast.closed(numbers, columns, window, this.now()));
      },
      freed: (series) => {
        preprocess.clear(series);
        this.models.forget(series);
        this.forecast.forget(series, this.now());
        this.recent.forget(series);
        this.rules.forget(series);
      },
      stepped: (byMs) => {
        log.info({ byMs: Math.round(byMs) }, 'the idea of UTC moved; what is open moves with it');
        this.incidents.moveTimes(byMs);
        this.evidence.moveTimes(byMs);
        this.models.moveTimes(byMs);
        this.grouped.models.moveTimes(byMs);
        this.forecast.moveTimes(byMs);
        this.changes.clock(byMs, clock.monotonicMs());
      },
      failed: (error) => log.error({ problem: messageOf(error), err: error }, 'a window could not be recorded'),
    });
    this.grouped = new GroupWindows({
      limit,
      windowMs: config.window ?? MINUTE_MS,
      groups: this.groups,
      registry,
      recorder,
      budget,
      clock,
      now: () => this.now(),
      onFinding: (finding, at) => this.#tell(finding, at),
      onBroken: (slot, reason) => options.modelBroken(slot, reason),
    });
    this.slots = new ModelSlots(this.models, this.grouped.models);
    this.evidence = new EvidenceStage({
      log,
      range: (series, fromMs, toMs) => this.recent.range(series, fromMs, toMs),
      numberOf: (id) => registry.numberOf(id),
      seriesCount: () => registry.end,
      placeOf: (series) => this.windows.placeOf(series),
      append: (body, about) => {
        if (config.raw === 'never' || budget?.takesEvidence(body.length) === false) return Promise.resolve();
        const [from, to] = [about.fromWallMs, about.toWallMs].map((ms) => new Date(ms).toISOString());
        log.info({ how: 'evidence', from, to, sizeBytes: body.length }, 'full-rate values leave with an incident');
        return recorder.append('evidence', body, 'incident', about);
      },
    });
    this.intake = new AgentIntake({
      registry,
      preprocess,
      detect: this.detect,
      rules: this.rules,
      quality: this.quality,
      summariser,
      recent: this.recent,
      changed: (key, came) => this.changes.series(key, came, clock.monotonicMs()),
      document: (name, content) => {
        if (name === 'top') this.changes.top(content as TopProcesses, clock.monotonicMs());
        if (budget?.takesDocument(name) !== false) void recorder.appendJson(name, content, 'detail');
      },
    });
    this.forecast = new ForecastStage({
      limit,
      windowMs: config.window ?? MINUTE_MS,
      horizons: config.forecast,
      series: registry,
      sink: this.intake,
      latest: (series) => this.intake.latest[series] ?? Number.NaN,
      dated: () => utc.offsetMs !== null || clock.wallMs() > Math.max(OLDEST_WALL_MS, utc.latestCentralMs ?? 0),
      onFinding: (finding, at) => this.#tell(finding, at),
      log,
    });
    const health = new Health({ intake: this.intake, preprocess, outbox, detect: this.detect });
    this.runner = new InputRunner({
      clock,
      timers,
      now: () => this.now(),
      intake: this.intake,
      host,
      log,
      onTickStart: (now) => this.#guarded('windows', () => this.windows.tick(now)),
      onTickEnd: (now) => {
        this.#guarded('health', () => health.tick(now));
        this.#guarded('mutes', () => this.mutes.tick(now));
        this.#guarded('quality', () => this.quality.tick(now));
        this.#guarded('groups', () => this.groups.tick(now));
        this.#guarded('rules', () => this.rules.tick(now));
        this.#guarded('forecast', () => this.forecast.tick(now));
        this.#guarded('incidents', () => this.incidents.tick(now));
        this.#guarded('budgets', () => {
          if (this.budget.tick(now.monotonicMs)) this.detect.renewBar();
          budget?.tick(now.monotonicMs, now.utcMs, this.incidents.isActive(now));
        });
        this.#guarded('evidence', () => this.evidence.tick(now));
        this.#guarded('events', () => this.#recordEvents());
        this.#guarded('live', () => options.ticked(now));
      },
    });
    for (const { label, kind, config: settings } of chooseInputs(config.inputs, inputKinds, host)) {
      this.runner.add(label, kind, settings);
    }
    for (const incident of options.resume) {
      this.incidents.resume(incident, this.now());
      keeper.incident(incident);
    }
    this.mutes.load(options.resumeMutes, this.now());
    this.rules.load(options.resumeRules, this.now());
  }

  now(): Instant {
    const { clock, utc } = this.#options;
    const monotonicMs = clock.monotonicMs();
    return { monotonicMs, utcMs: utc.utcMs(monotonicMs, clock.wallMs()) };
  }

  start(): Promise<void> {
    return this.runner.start();
  }

  /** Resolves when the open window and what was pinned are durable. */
  async stop(): Promise<void> {
    await this.runner.stop();
    this.#recordEvents();
    await this.windows.finish();
    this.grouped.finish();
    await this.evidence.settled();
    this.budget.keep();
    this.#recordStop();
  }

  /** The last word of this start: without it the central takes what follows for a crash or a power cut. */
  #recordStop(): void {
    const { monotonicMs, utcMs } = this.now();
    const key = { name: AGENT_STATE, unit: '', attributes: {} };
    const stopped = { key, monotonicMs, wallMs: utcMs, from: 'running', to: AGENT_STOPPED, quality: 0 } as const;
    // Not of the class that is thinned first: it is small, and a whole gap's cause.
    void this.#options.recorder.append('event', encodeEvents([stopped]), 'rollup');
  }

  #follow(incident: Incident): void {
    this.#options.keeper.incident(incident);
    this.evidence.update(incident, this.now());
    this.#options.told?.(incident);
  }

  /** Findings of all stages; what is muted says so. */
  #tell(finding: Finding, at: Instant): void {
    if (this.models.isUsual(finding)) return;
    this.incidents.add(this.mutes.mark(finding), at);
  }

  /** What a part throws is its own harm: the others have their turn, and the agent goes on. */
  #guarded(part: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.error({ part, problem: messageOf(error), err: error }, 'a part of the tick failed');
    }
  }

  #recordEvents(): void {
    const events = this.intake.takeEvents();
    for (const { key, from, to, monotonicMs } of events) this.changes.state(key, from, to, monotonicMs);
    if (events.length > 0) this.#recordThese(events);
  }

  /** In as many records as it takes: many long texts at once are more than one may hold. */
  #recordThese(events: readonly WireEvent[]): void {
    let body: Uint8Array;
    try {
      body = encodeEvents(events);
    } catch (error) {
      if (codeOf(error) !== 'payload.too_large' || events.length === 1) throw error;
      const half = events.length >> 1;
      this.#recordThese(events.slice(0, half));
      this.#recordThese(events.slice(half));
      return;
    }
    void this.#options.recorder.append('event', body, 'detail');
  }
}
