import { errorTable } from '../../shared/errors.ts';
import { readBootId } from '../boot.ts';
import { dataDirectoryOf } from '../config.ts';
import type { Host } from '../inputs/input.ts';
import { type AgentStatus, readStatus, statusIntervalMs } from '../status.ts';
import { type AgentCommand, loadConfig, parseOptions } from './context.ts';
import { describeMute } from './mute.ts';

/** A status that is older than this was not replaced in time. */
const staleMs = 2 * statusIntervalMs;

export const statusCommand: AgentCommand = {
  usage: 'status [--data DIR] [--json]',
  doc: 'Tells what the running agent does: connection, outbox, incidents, models, inputs.',
  options: [
    '  --data DIR      the agent’s data directory',
    '  --config FILE   its configuration',
    '  --json          for programs',
    '',
    'The exit code is 0 when it runs.',
  ].join('\n'),
  async run(context) {
    const options = { data: { type: 'string' }, config: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values } = parseOptions(context.args, options);
    const { config } = await loadConfig(values.config, context);
    const dataDir = dataDirectoryOf(config, values.data, context.env);
    const status = await readStatus(dataDir);
    const nowMs = context.host.clock.monotonicMs();
    const trouble = status === null ? `no agent has run with ${dataDir}` : troubleOf(status, nowMs, context.host);
    if (values.json) context.stdout(`${JSON.stringify({ running: trouble === null, trouble, ...status }, null, 2)}\n`);
    else context.stdout(status === null ? `not running: ${trouble}\n` : describe(status, trouble, nowMs));
    return trouble === null ? 0 : errorTable['agent.offline'].exit;
  },
};

/** Why the status is not that of a running agent, or null. */
function troubleOf(status: AgentStatus, nowMs: number, host: Host): string | null {
  if (status.boot !== readBootId(host.procRoot)) return 'its last status is from before the machine started';
  if (!isAlive(status.pid)) return `its process ${status.pid} has ended`;
  const ageMs = nowMs - status.updatedMonotonicMs;
  return ageMs > staleMs ? `process ${status.pid} has written no status for ${ago(ageMs)}` : null;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM says that it is there and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function describe(status: AgentStatus, trouble: string | null, nowMs: number): string {
  const { connection, outbox } = status;
  const since = (at: number | null): string => (at === null ? 'never' : `${ago(nowMs - at)} ago`);
  const lines: string[] = [];
  const row = (name: string, text: string): void => void lines.push(`${name.padEnd(11)}${text}`);
  row(
    trouble === null ? 'running' : 'not running',
    trouble === null
      ? `${status.version}, process ${status.pid}, for ${ago(nowMs - status.startedMonotonicMs)}`
      : `: ${trouble}; this was its last status`,
  );
  row('agent', status.agent ?? 'not enrolled');
  row(
    'connection',
    `${connection.state}${connection.broker === null ? '' : ` (${connection.broker})`}, since ${since(connection.sinceMonotonicMs)}, last acknowledgement ${since(connection.lastAckMonotonicMs)}`,
  );
  if (connection.problem !== null) row('', connection.problem);
  row(
    'outbox',
    `${outbox.pendingRecords} records pending (${size(outbox.pendingBytes)}), ${size(outbox.diskBytes)} of ${size(outbox.limitBytes)} on disk`,
  );
  row('', `${outbox.gapRecords} gaps, ${outbox.lostRecords} records lost`);
  if (outbox.failing !== null) row('', `the disk fails: ${outbox.failing}`);
  for (const mute of status.mutes ?? []) row('muted', describeMute(mute));
  row('incidents', status.incidents.length === 0 ? 'none open' : `${status.incidents.length} open`);
  for (const { severity, title, wakes } of status.incidents) {
    row('', `${severity}${wakes === true ? ', somebody is told' : ''}: ${title}`);
  }
  const spent = spentOf(status.budget);
  if (spent !== null) row('budgets', spent);
  row(
    'models',
    status.models.length === 0
      ? 'none yet'
      : status.models.map(({ slot, release }) => `${slot} ${release.slice(0, 12)}`).join(', '),
  );
  const configured = configuredOf(status.configuration);
  if (configured !== null) row('configured', configured);
  const failing = status.inputs.filter((input) => input.failing !== null);
  row(
    'inputs',
    `${status.inputs.length}, ${status.series} series, ${failing.length === 0 ? 'all work' : `${failing.length} failing`}`,
  );
  for (const { label, failures, failing: why } of failing) row('', `${label}: ${why} (${failures} times)`);
  row('memory', `${size(status.memory.rssBytes)}, heap ${size(status.memory.heapBytes)}`);
  for (const warning of status.warnings) row('warning', warning);
  return `${lines.map(printable).join('\n')}\n`;
}

/** What of the configuration is the central's; null where the agent does not say it. */
function configuredOf(reported: AgentStatus['configuration']): string | null {
  if (reported === undefined) return null;
  const { managed, version, trial, left, problem } = reported;
  if (!managed) return 'here alone (`managed: false`)';
  const kept = left.length === 0 ? '' : `; kept as here: ${left.join(', ')}`;
  const wrong = problem === undefined ? '' : `; not in force: ${problem}`;
  if (version === 0) return `nothing by the central${wrong}`;
  return `by the central, version ${version}${trial ? ', on trial' : ''}${kept}${wrong}`;
}

/** What comes from devices and other machines must not steer a terminal. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ').trimEnd();
}

/** Rounded, for people. */
function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Both budgets in their own unit; null where the agent does not say them. */
function spentOf(figures: AgentStatus['budget']): string | null {
  const of = (name: string): number => figures?.[`picket.budget.${name}`] ?? Number.NaN;
  const said = [of('findings.spent'), of('findings.allowed'), of('notifications.spent'), of('notifications.allowed')];
  if (!said.every(Number.isFinite)) return null;
  const [findings, perDay, notifications, perWeek] = said.map((value) => String(Math.round(value! * 100) / 100));
  return `${findings} of ${perDay} incidents a day, ${notifications} of ${perWeek} notifications a week`;
}
