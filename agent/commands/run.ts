import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Timers } from '../../shared/clock.ts';
import { codeOf, messageOf, PicketError } from '../../shared/errors.ts';
import { sparingLog } from '../../shared/sparing-log.ts';
import { version } from '../../shared/version.ts';
import { readBootId } from '../boot.ts';
import { dataDirectoryOf, hostOf } from '../config.ts';
import { bootConfiguration } from '../configuration/boot.ts';
import type { LocalConfiguration } from '../configuration/effective.ts';
import { ConfigurationStage } from '../configuration/stage.ts';
import { readEnrolment, writeEnrolment } from '../enrolment.ts';
import type { Log } from '../inputs/input.ts';
import { createLog } from '../log.ts';
import { stayFrugal } from '../memory.ts';
import { gistOf, statusIntervalMs, statusLookMs, writeStatus } from '../status.ts';
import { startWatchdog } from '../watchdog.ts';
import { type AgentCommand, type AgentContext, loadConfig, parseOptions, type RunningAgent } from './context.ts';

const timers: Timers = {
  after: (delayMs, callback) => setTimeout(callback, delayMs),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** Errors of an enrolment that time does not heal. */
const finalErrors: ReadonlySet<string> = new Set(['token.invalid', 'ca.mismatch', 'usage.invalid', 'payload.invalid']);

export const runCommand: AgentCommand = {
  usage: 'run [--config FILE] [--data DIR]',
  doc: 'Runs the agent until SIGTERM.',
  options: [
    '  --config FILE   configuration; else /etc/picket/agent.yaml if it exists, else the defaults',
    '  --data DIR      directory of outbox, enrolment and learned state',
    '',
    'A machine that is not enrolled yet enrols itself when PICKET_ENROL_URL and PICKET_TOKEN are set, with',
    'PICKET_CA_FINGERPRINT, PICKET_NAME and PICKET_SITE if need be; it tries until the central answers.',
  ].join('\n'),
  async run(context) {
    const { values } = parseOptions(context.args, { config: { type: 'string' }, data: { type: 'string' } });
    const local = await loadConfig(values.config, context);
    const { config } = local;
    const dataDir = dataDirectoryOf(config, values.data, context.env);
    const { wallMs, monotonicMs } = context.host.clock;
    const log = sparingLog(createLog(config.log.level, context.stderr, wallMs), monotonicMs);
    await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new PicketError(
        'store.failed',
        `cannot make the data directory ${dataDir}: ${messageOf(error)}.`,
        {},
        error,
      );
    });
    await enrolFromEnvironment(dataDir, context, log);
    if (context.signal.aborted) return 0;
    while (!context.signal.aborted) await runOnce(local, dataDir, context, log);
    return 0;
  },
};

/** From a start to the end, or until another configuration is to be in force. */
async function runOnce(local: LocalConfiguration, dataDir: string, context: AgentContext, ownLog: Log): Promise<void> {
  const { kinds, signal } = context;
  const host = hostOf(local.config, context.host);
  const { wallMs, monotonicMs } = host.clock;
  const booted = await bootConfiguration({ local, kinds, dataDir, wallMs, log: ownLog });
  const { level } = booted.config.log;
  const log =
    level === local.config.log.level ? ownLog : sparingLog(createLog(level, context.stderr, wallMs), monotonicMs);
  const restarting = Promise.withResolvers<void>();
  const restart = restarting.resolve;
  const configuration = new ConfigurationStage({ local, booted, kinds, host, timers, log, restart });
  let agent: RunningAgent;
  try {
    agent = await context.start({ config: booted.config, dataDir, version, host, log, configuration });
  } catch (error) {
    configuration.stop();
    if (await booted.failed(error)) return;
    throw error;
  }
  const endStatus = keepStatus(agent, dataDir, context, log);
  const endWatchdog = startWatchdog(context.env, () => true);
  const endFrugality = stayFrugal();
  await Promise.race([aborted(signal), restarting.promise]);
  endFrugality();
  endWatchdog();
  endStatus();
  await agent.stop();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Writes the status now and then until it is ended; a disk that fails does not end the agent. */
function keepStatus(agent: RunningAgent, dataDir: string, { host }: AgentContext, log: Log): () => void {
  const boot = readBootId(host.procRoot);
  const startedMonotonicMs = host.clock.monotonicMs();
  let writing = false;
  let failing = false;
  let gist = '';
  let writtenMs = Number.NEGATIVE_INFINITY;
  const write = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    try {
      const report = agent.report();
      const nowMs = host.clock.monotonicMs();
      // Half a look of slack: timers come early and late.
      const recent = nowMs - writtenMs < statusIntervalMs - statusLookMs / 2;
      if (recent && gistOf(report) === gist) return;
      const { rss, heapUsed } = process.memoryUsage();
      const memory = { rssBytes: rss, heapBytes: heapUsed };
      const own = {
        status: 1,
        version,
        pid: process.pid,
        boot,
        startedMonotonicMs,
        updatedMonotonicMs: nowMs,
        memory,
      } as const;
      await writeStatus(dataDir, { ...own, ...report });
      gist = gistOf(report);
      writtenMs = nowMs;
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ error: messageOf(error) }, 'the status file cannot be written; the agent goes on');
      failing = true;
    } finally {
      writing = false;
    }
  };
  void write();
  const timer = setInterval(() => void write(), statusLookMs);
  return () => clearInterval(timer);
}

async function enrolFromEnvironment(dataDir: string, { env, signal }: AgentContext, log: Log): Promise<void> {
  const address = env.PICKET_ENROL_URL;
  const token = env.PICKET_TOKEN;
  if (address === undefined || token === undefined || (await readEnrolment(dataDir)) !== null) return;
  const name = env.PICKET_NAME ?? hostname();
  const site = env.PICKET_SITE;
  // Once in an agent's life: a running agent needs no HTTP.
  const { enrolAt } = await import('../enrol.ts');
  const request = { token, name, ...(site === undefined ? {} : { site }) };
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const enrolment = await enrolAt(address, env.PICKET_CA_FINGERPRINT, request, signal);
      await writeEnrolment(dataDir, enrolment);
      log.info({ agent: enrolment.agent, broker: enrolment.broker }, 'enrolled');
      return;
    } catch (error) {
      if (finalErrors.has(codeOf(error)) || signal.aborted) throw error;
      log.warn(
        { error: messageOf(error), retryInMs: pauseMs },
        'the central does not answer the enrolment; trying again',
      );
      await pause(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}
