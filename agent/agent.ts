/**
 * The agent, wired. Two halves that meet in the outbox: `sensing` measures, judges and records whether anybody listens
 * or not; `uplink` speaks with the central once the machine is enrolled.
 *
 *     inputs ─► preprocess ─► detect ─► incidents ─► summarise ─► outbox ─► publish ─► MQTT
 *                                ▲                                                      │
 *                              models ◄── apply ◄── signed models, commands ◄───────────┘
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Timers } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { openApplyFiles } from './apply/files.ts';
import { openBootClock, readBootId } from './boot.ts';
import { openDoor } from './by-hand/door.ts';
import { Exports } from './by-hand/exports.ts';
import { takePending } from './by-hand/pending.ts';
import type { RunningAgent, StartOptions } from './commands/context.ts';
import { DetectorFile } from './detector-file.ts';
import { readEnrolment } from './enrolment.ts';
import type { Host } from './inputs/input.ts';
import { answerMutes } from './mutes/answer.ts';
import { FailoverOutbox } from './outbox/failover.ts';
import { repairInChild } from './outbox/repair.ts';
import { ownCommand } from './own-command.ts';
import { Recorder } from './recorder.ts';
import { UplinkBudget } from './uplink/budget.ts';
import { UtcEstimate } from './utc.ts';
import { Keeper, remember, rememberBudget, rememberMutes, rememberRules, rememberUplink } from './wiring/meta.ts';
import { reportOf } from './wiring/report.ts';
import { Sensing } from './wiring/sensing.ts';
import { openSite } from './wiring/site.ts';
import { Uplink } from './wiring/uplink.ts';

const COMMIT_BYTES = 64 * 1024;
const VOLATILE_BYTES = 8 * 1024 * 1024;
/** A machine that is not enrolled looks for its enrolment as often. */
const ENROLMENT_MS = 5_000;
const DETECTORS_MS = 30 * 60_000;

const timers: Timers = {
  after: (delayMs, callback) => setTimeout(callback, delayMs),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Starts it, or leaves nothing open: it may be started again with another configuration. */
export async function startAgent(options: StartOptions): Promise<RunningAgent> {
  const opened: { close(): unknown }[] = [];
  try {
    return await start(options, opened);
  } catch (error) {
    for (const each of opened.reverse()) await Promise.resolve(each.close()).catch(() => {});
    throw error;
  }
}

async function start(options: StartOptions, opened: { close(): unknown }[]): Promise<RunningAgent> {
  const { config, dataDir, version, log } = options;
  const clock = openBootClock();
  opened.push(clock);
  const bootId = readBootId();
  let utc = new UtcEstimate(null);
  let uplink: Uplink | null = null;
  const outbox = await FailoverOutbox.open({
    directory: join(dataDir, 'outbox'),
    limitBytes: config.outbox.size,
    keepAcknowledgedMs: config.outbox.keepAcknowledged,
    commitIntervalMs: config.outbox.commitInterval,
    commitBytes: COMMIT_BYTES,
    volatileBytes: VOLATILE_BYTES,
    clock,
    timers,
    random: randomBytes,
    bootId,
    log,
    wall: () => {
      const wallMs = clock.wallMs();
      return { wallMs, wallTrusted: utc.wallTrusted(clock.monotonicMs(), wallMs) };
    },
    repair: repairInChild(ownCommand('repair-outbox')),
    // What lies on the disk was not shown while it failed.
    onWorking: () => uplink?.lookAgain(),
  });
  opened.push(outbox);
  const remembered = await remember(outbox);
  utc = new UtcEstimate(remembered.latestCentralMs);
  const keeper = new Keeper(outbox, (error) =>
    log.warn({ problem: messageOf(error) }, 'a small value could not be kept'),
  );
  const exports = await Exports.open({
    outbox,
    random: randomBytes,
    failed: (error) => log.warn({ problem: messageOf(error) }, 'it could not be kept what was exported by hand'),
  });
  const recorder = new Recorder({ outbox, clock, utc, bootId, log, appended: () => uplink?.wake() });

  let seriesCount = (): number => 0;
  const budget =
    config.uplink === undefined
      ? null
      : new UplinkBudget({
          bytesPerMonth: config.uplink,
          windowMs: config.window,
          series: () => seriesCount(),
          saved: await rememberUplink(outbox),
          monotonicMs: clock.monotonicMs(),
          utcMs: utc.utcMs(clock.monotonicMs(), clock.wallMs()),
          keep: (counted) => keeper.uplink(counted),
        });

  const site = await openSite(options, remembered.incidents);
  const host: Host = {
    ...options.host,
    clock,
    log,
    pinnedCa: async () => (await readEnrolment(dataDir))?.ca ?? null,
  };
  const sensing = new Sensing({
    config,
    bootId,
    host,
    clock,
    timers,
    utc,
    outbox,
    recorder,
    keeper,
    log,
    budget,
    resume: remembered.incidents,
    resumeBudget: await rememberBudget(outbox),
    resumeMutes: await rememberMutes(outbox),
    resumeRules: await rememberRules(outbox),
    told: (incident) => site?.incident(incident),
    mutesChanged: () => uplink?.reportAgain(),
    ticked: (now) => uplink?.tick(now),
    modelBroken: (slot, reason) => uplink?.apply.broken(slot, reason),
  });
  seriesCount = () => sensing.registry.size;
  // A file for each stage: one that can't be read costs the others nothing.
  const learned = Object.entries({
    'detectors.bin': sensing.detect,
    'quality.bin': sensing.quality,
    'groups.bin': sensing.groups,
    'forecasts.bin': sensing.forecast,
  }).map(([name, stage]) => new DetectorFile(join(dataDir, name), stage, log));
  for (const file of learned) await file.load();
  // One after the other: each takes memory for all that its stage knows.
  const saveLearned = async (): Promise<void> => {
    for (const file of learned) await file.save();
  };

  const applyStore = await openApplyFiles(join(dataDir, 'models'));
  let stopped = false;
  const connect = async (): Promise<void> => {
    const enrolment = await readEnrolment(dataDir);
    if (enrolment === null || stopped) return;
    clearInterval(enrolling);
    uplink ??= new Uplink({
      enrolment,
      config,
      version,
      bootId,
      clock,
      timers,
      utc,
      outbox,
      keeper,
      applyStore,
      sensing,
      budget,
      incarnation: remembered.incarnation,
      exports,
      log,
      warnings: () => warningsOf(),
      configuration: options.configuration,
    });
    await uplink.start();
    await takePending(dataDir, uplink.apply);
  };
  const tryConnect = (): void => {
    connect().catch((error: unknown) => log.error({ problem: messageOf(error) }, 'the enrolment cannot be used'));
  };
  const enrolling = setInterval(tryConnect, ENROLMENT_MS);
  opened.push({ close: () => clearInterval(enrolling) });
  const saving = setInterval(() => void saveLearned(), DETECTORS_MS);
  opened.push({ close: () => clearInterval(saving) });

  function warningsOf(): string[] {
    const { failing } = outbox.stats();
    const inputs = sensing.runner.health().filter(({ lastError, state }) => state !== 'ok' && lastError !== null);
    return [
      ...(failing === null ? [] : [`the disk fails: ${failing.message}`]),
      ...inputs.map(({ name, lastError }) => `${name}: ${lastError!.message}`),
      ...(budget?.warnings() ?? []),
    ];
  }

  if ((await readEnrolment(dataDir).catch(() => null)) === null) {
    log.warn({ dataDir }, 'this machine is not enrolled: it measures and keeps; see `picket-agent enrol`');
  }
  const door = await openDoor(
    dataDir,
    // Rare, and hence loaded only then.
    async () =>
      (await import('./wiring/by-hand.ts')).deskOf({
        uplink,
        outbox,
        exports,
        store: applyStore,
        utc,
        keeper,
        clock,
        version,
        bootId,
      }),
    log,
    (request) => answerMutes(sensing.mutes, request, sensing.now()),
  );
  await sensing.start();
  tryConnect();
  log.info({ series: sensing.registry.size, dataDir }, 'started');

  return {
    report: () => reportOf({ sensing, outbox, uplink, warnings: warningsOf(), configuration: options.configuration }),
    async stop() {
      stopped = true;
      options.configuration?.stop();
      clearInterval(enrolling);
      clearInterval(saving);
      await door.close();
      await sensing.stop();
      await saveLearned();
      await outbox.flush().catch(() => {});
      await uplink?.stop();
      await site?.close();
      budget?.save(utc.utcMs(clock.monotonicMs(), clock.wallMs()));
      await outbox.close();
      clock.close();
    },
  };
}
