/** `models`: what was trained and what runs, rollouts as they move, and what an operator does with them. */
import { PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import type { ListedRollout, ModelPin, ModelVersion, Rollout, RolloutOrder } from '../api.ts';
import { briefOf } from '../rollout/brief.ts';
import { getFromCentral, postToCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

/** Slots have a slash, which a shell needs no quotes for. */
const SLOT_PATTERN = /^[a-z0-9]{1,32}(\/[a-z0-9-]{1,32})?$/;
const LIST_ROWS = 40;

const options = {
  data: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Call {
  readonly context: CentralContext;
  readonly args: readonly string[];
  readonly json: boolean;
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown): Promise<unknown>;
}

const order =
  (name: RolloutOrder) =>
  async (call: Call): Promise<void> => {
    const id = numberOf(call.args[0], 'which rollout: its number is in `models rollouts`');
    tell(call, await call.post(`/rollouts/${id}/${name}`), (answer) => [rolloutLine(briefOf(answer as Rollout, 0))]);
  };

const actions: ReadonlyMap<string, { readonly most: number; run(call: Call): Promise<void> }> = new Map([
  ['list', { most: 1, run: list }],
  ['show', { most: 1, run: show }],
  ['rollouts', { most: 0, run: rollouts }],
  ['pin', { most: 3, run: pin }],
  ['unpin', { most: 2, run: unpin }],
  ['pause', { most: 1, run: order('pause') }],
  ['resume', { most: 1, run: order('resume') }],
  ['promote', { most: 1, run: order('promote') }],
  ['rollback', { most: 1, run: order('rollback') }],
]);

export const modelsCommand: CentralCommand = {
  usage:
    'models [list [AGENT] | show V | rollouts | pin AGENT SLOT V | unpin AGENT SLOT | pause R | resume R | promote R | rollback R]',
  doc: 'Shows models and their rollouts, holds them, lets them go on, and goes back.',
  options: [
    `  list [AGENT]         versions, the newest first, of all machines or one (the default; ${LIST_ROWS} at most)`,
    '  show V               a version: what it was trained on, how it compared, why it has its state',
    '  rollouts             where each rollout is, and which machines are pinned',
    '  pin AGENT SLOT V     the machine runs this version and stays there, whatever is trained',
    '  unpin AGENT SLOT     it takes part again',
    '  pause R, resume R    a rollout stays where it is, or goes on',
    '  promote R            a rollout goes to its next stage at once',
    '  rollback R           its machines run again what they ran before; also after its end',
    '',
    '  --json               for programs',
    '  --data DIR           data directory of the running central, where it is not the configuration’s',
    '  --config FILE        its configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(context.args, options, 4);
    const [name = 'list', ...args] = positionals;
    const action = actions.get(name);
    if (action === undefined) {
      throw new PicketError(
        'usage.invalid',
        `there is no \`models ${name.slice(0, 40)}\`: ${[...actions.keys()].join(', ')}.`,
      );
    }
    const extra = args[action.most];
    if (extra !== undefined) {
      throw new PicketError('usage.invalid', `\`${extra.slice(0, 60)}\` is one argument too many.`);
    }
    const { data } = (await loadConfig(values, context)).config;
    await action.run({
      context,
      args,
      json: values.json === true,
      get: (path) => getFromCentral(data, `/api/v1${path}`),
      post: (path, body = {}) => postToCentral(data, `/api/v1${path}`, body),
    });
    return 0;
  },
};

async function list(call: Call): Promise<void> {
  const [agent] = call.args;
  const path = agent === undefined ? '/models' : `/agents/${agentOf(agent)}/models`;
  tell(call, await call.get(path), (answer) => {
    const { models } = answer as { models: readonly ModelVersion[] };
    if (models.length === 0) return ['no model was trained yet'];
    const rows = models.slice(0, LIST_ROWS).map((model) => {
      const { version, agent, kind, series, trainedMs, state } = model;
      return [`v${version}`, agent, kind, `${series} series`, time(trainedMs), state, model.reason];
    });
    const more = models.length - rows.length;
    return [...columns(rows), ...(more > 0 ? [`and ${more} older ones: \`models list AGENT\`, --json`] : [])];
  });
}

async function show(call: Call): Promise<void> {
  const version = numberOf(call.args[0], 'which version: its number is in `models list`');
  tell(call, await call.get(`/models/${version}`), (answer) => about(answer as ModelVersion));
}

function about(model: ModelVersion): string[] {
  const { evaluation, window } = model;
  const said = (name: string, { coverage, pinball, findingsPerDay }: NonNullable<typeof evaluation>['challenger']) => [
    name,
    `${(100 * coverage).toFixed(1)} % within the band, ${findingsPerDay.toFixed(2)} findings a day, pinball loss ${pinball.toPrecision(3)}`,
  ];
  return columns([
    ['version', `v${model.version}, ${model.state}: ${model.reason}`],
    ['for', `${model.agent}, ${model.kind}, ${model.series} series`],
    ['trained', `${time(model.trainedMs)} on ${time(model.fromMs)} to ${time(model.toMs)}`],
    ...(window === undefined
      ? []
      : [['history', `${window.presentMinutes} of ${window.expectedMinutes} min, ${window.lateMinutes} came later`]]),
    ...(evaluation === null
      ? [['evaluation', 'none']]
      : [
          [
            'held out',
            `${time(evaluation.heldOutFromMs)} to ${time(evaluation.heldOutToMs)}, ${evaluation.windows} windows`,
          ],
          said('this one', evaluation.challenger),
          ...(evaluation.champion === null ? [] : [said('the one before', evaluation.champion)]),
        ]),
    ['release', model.releaseSha256 === '' ? 'none' : model.releaseSha256],
    ['content', `${model.contentSha256}, ${model.contentBytes} bytes`],
  ]);
}

async function rollouts(call: Call): Promise<void> {
  tell(call, await call.get(call.json ? '/rollouts' : '/rollouts?members=0'), (answer) => {
    const { rollouts, pins } = answer as { rollouts: readonly ListedRollout[]; pins: readonly ModelPin[] };
    if (rollouts.length + pins.length === 0) return ['no rollout, and no machine is pinned'];
    return [...rollouts.map(rolloutLine), ...pins.map(pinLine)];
  });
}

async function pin(call: Call): Promise<void> {
  const [agent, slot] = [agentOf(call.args[0]), slotOf(call.args[1])];
  const version = numberOf(call.args[2], 'to which version: its number is in `models list AGENT`');
  const model = (await call.get(`/models/${version}`)) as ModelVersion;
  // A version is of one machine and slot; saying both guards against a slip of the number.
  if (model.agent !== agent || model.kind !== slot) {
    throw new PicketError('conflict', `Version ${version} is of ${model.agent} in ${model.kind}.`);
  }
  tell(call, await call.post(`/models/${version}/pin`), (answer) => [pinLine(answer as ModelPin)]);
}

async function unpin(call: Call): Promise<void> {
  const [agent, slot] = [agentOf(call.args[0]), slotOf(call.args[1])];
  tell(call, await call.post(`/agents/${agent}/unpin`, { slot }), () => [`${agent} takes part again in ${slot}`]);
}

function tell({ context, json }: Call, answer: unknown, lines: (answer: unknown) => readonly string[]): void {
  context.stdout(json ? `${JSON.stringify(answer, null, 2)}\n` : `${lines(answer).join('\n')}\n`);
}

/** `3  model/seasonal  all  canary since 2026-03-01 22:00  4 of 30 machines, 1 out  As good as …`. */
function rolloutLine({ id, slot, cohort, stage, sinceMs, pausedMs, reason, counts }: ListedRollout): string {
  const { machines, canary, out } = counts;
  const reached = stage === 'canary' ? canary : stage === 'all' || stage === 'done' ? machines - out : 0;
  const is = pausedMs === null ? `${stage} since ${time(sinceMs)}` : `${stage}, paused since ${time(pausedMs)}`;
  const on = `on ${reached} of ${machines} machines${out > 0 ? `, ${out} out` : ''}`;
  return `${id}  ${slot}  ${cohort}  ${is}  ${on}  ${reason}`;
}

function pinLine({ agent, slot, version, by, sinceMs }: ModelPin): string {
  return `${agent}  ${slot}  pinned to v${version} since ${time(sinceMs)} by ${by}`;
}

/** The last column as it comes, the others as wide as their widest. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = rows[0]!.slice(0, -1).map((_, column) => width(column));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;

function agentOf(text: string | undefined): string {
  if (text !== undefined && ID_PATTERN.test(text)) return text;
  throw new PicketError('usage.invalid', `\`${(text ?? '').slice(0, 64)}\` is not the id of an agent.`);
}

function slotOf(text: string | undefined): string {
  if (text !== undefined && SLOT_PATTERN.test(text)) return text;
  throw new PicketError('usage.invalid', `\`${(text ?? '').slice(0, 64)}\` is no slot such as model/seasonal.`);
}

function numberOf(text: string | undefined, what: string): number {
  if (text !== undefined && /^v?[1-9]\d{0,8}$/.test(text)) return Number(text.replace('v', ''));
  throw new PicketError('usage.invalid', `say ${what}.`);
}
