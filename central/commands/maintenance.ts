/** `maintenance`: plans, lists and ends work on machines, through the central that runs here. */
import { parseDuration } from '../../shared/config/units.ts';
import { PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import type { MaintenanceWindow } from '../feedback/api.ts';
import { getFromCentral, postToCentral } from './api-client.ts';
import { type CentralCommand, loadConfig, parseOptions } from './context.ts';

const options = {
  data: { type: 'string' },
  config: { type: 'string' },
  agent: { type: 'string' },
  site: { type: 'string' },
  from: { type: 'string' },
  reason: { type: 'string' },
} as const;

export const maintenanceCommand: CentralCommand = {
  usage: 'maintenance [list | add DURATION --reason TEXT | end ID] [--agent ID | --site NAME] [--from TIME]',
  doc: 'Times of planned work: nobody is woken in them, and nothing is learned from them.',
  options: [
    '  list              what is planned and what was (the default); with --agent: what covers that machine',
    '  add DURATION      such as 2h or 1h30m, at most 90d',
    '  end ID            ends one before its time, or calls it off',
    '  --agent ID        one machine',
    '  --site NAME       all machines of a site; neither: the whole fleet',
    '  --from TIME       such as 2026-03-01T22:00Z; may be over already; default now',
    '  --reason TEXT     shown with it, and in the audit trail',
    '  --data DIR        data directory of the running central, where it is not the configuration’s',
    '  --config FILE     its configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(context.args, options, 2);
    const [what = 'list', about] = positionals;
    const { config } = await loadConfig(values, context);
    const { agent, site, reason } = values;
    if (agent !== undefined && !ID_PATTERN.test(agent)) {
      throw new PicketError('usage.invalid', `\`${agent.slice(0, 64)}\` is not the id of an agent.`);
    }
    if (what === 'list') {
      const path = `/api/v1/maintenance${agent === undefined ? '' : `?agent=${agent}`}`;
      const { windows } = (await getFromCentral(config.data, path)) as { windows: readonly MaintenanceWindow[] };
      const now = context.nowMs();
      context.stdout(
        windows.length === 0 ? 'nothing is planned\n' : `${windows.map((one) => line(one, now)).join('\n')}\n`,
      );
      return 0;
    }
    if (what === 'add') {
      const lengthMs = parseDuration(about ?? '');
      if (lengthMs === null || lengthMs <= 0) {
        throw new PicketError('usage.invalid', 'say for how long: a duration such as 2h or 1h30m.');
      }
      if (reason === undefined) throw new PicketError('usage.invalid', 'say why, with --reason.');
      const fromMs = values.from === undefined ? Math.round(context.nowMs()) : timeOf(values.from);
      const scope = { ...(agent !== undefined && { agent }), ...(site !== undefined && { site }) };
      const body = { ...scope, fromMs, toMs: fromMs + lengthMs, reason };
      const window = (await postToCentral(config.data, '/api/v1/maintenance', body)) as MaintenanceWindow;
      context.stdout(`${line(window, context.nowMs())}\n`);
      return 0;
    }
    if (what === 'end' && about !== undefined && /^[0-9a-f-]{36}$/.test(about)) {
      const window = await postToCentral(config.data, `/api/v1/maintenance/${about}/end`, {});
      context.stdout(`${line(window as MaintenanceWindow, context.nowMs())}\n`);
      return 0;
    }
    throw new PicketError('usage.invalid', 'say list, add DURATION, or end with an id that list shows.');
  },
};

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (!Number.isFinite(ms) || ms < 0) {
    throw new PicketError('usage.invalid', `--from: \`${text.slice(0, 40)}\` is no time such as 2026-03-01T22:00Z.`);
  }
  return ms;
}

/** `ID  planned  2026-03-01 22:00 to 2026-03-02 00:00 UTC  pump-7: new pump (ann)`. */
function line({ id, agent, site, fromMs, toMs, endedMs, reason, by }: MaintenanceWindow, nowMs: number): string {
  const time = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const over = endedMs === null ? 'over' : toMs <= fromMs ? 'called off' : 'ended early';
  const state = toMs <= nowMs || endedMs !== null ? over : fromMs > nowMs ? 'planned' : 'now';
  const where = agent ?? (site === null ? 'the fleet' : `site ${site}`);
  return `${id}  ${state}  ${time(fromMs)} to ${time(toMs)} UTC  ${where}: ${reason} (${by})`;
}
