/** `configuration`: what machines are to go by, shown and changed through the central that runs here. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import type { AgentConfiguration, ConfigurationLayer, ConfigurationVersion } from '../configuration/api.ts';
import { diffLines } from '../configuration/diff.ts';
import { getFromCentral, postToCentral, putToCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

interface Call {
  readonly context: CentralContext;
  readonly data: string;
  /** Of the layer, below the API. */
  readonly path: string;
  readonly scope: string;
  readonly argument: string | undefined;
  readonly comment: string;
}

const orders = ['pause', 'resume', 'promote', 'rollback'] as const;
const orderOf = (order: string) => async (call: Call) => moved(call, await post(call, order, {}));

const actions: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  show,
  edit,
  set: async (call) => change(call, await given(call.argument)),
  history,
  diff,
  revert: async (call) => moved(call, await post(call, 'revert', { version: versionOf(call.argument) })),
  ...Object.fromEntries(orders.map((order) => [order, orderOf(order)])),
};

export const configurationCommand: CentralCommand = {
  usage: 'configuration [show|edit|set|history|diff|revert|pause|resume|promote|rollback] WHOM …',
  doc: 'Shows and changes what the central configures on machines; see configuration.md.',
  options: [
    '  WHOM                    all, cohort:NAME, or the id of a machine',
    '  show WHOM               what is said for it and how far that is; of a machine, too, what it is to go by',
    '  edit WHOM               in $VISUAL or $EDITOR; nothing is kept while something is wrong with it',
    '  set WHOM FILE           the whole text, YAML; `-`: from standard input',
    '  history WHOM            all versions, newest first',
    '  diff WHOM VERSION       what that version changed',
    '  revert WHOM VERSION     a new version with the text of that one',
    '  pause, resume WHOM      holds a new version where it is, or lets it go on',
    '  promote WHOM            gives it to all machines at once',
    '  rollback WHOM           brings all its machines back to the version before',
    '  --comment TEXT          why; kept with the version',
    '  --data DIR              data directory of the running central, where it is not the configuration’s',
    '  --config FILE           its configuration',
  ].join('\n'),
  async run(context) {
    const options = { data: { type: 'string' }, config: { type: 'string' }, comment: { type: 'string' } } as const;
    const { values, positionals } = parseOptions(context.args, options, 3);
    const [name = 'show', whom = 'all', argument] = positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const known = Object.keys(actions).join(', ');
      throw new PicketError('usage.invalid', `there is no \`configuration ${name.slice(0, 40)}\`: ${known}.`);
    }
    const { data } = (await loadConfig(values, context)).config;
    const scope = scopeOf(whom);
    const path = `/api/v1/configuration/${encodeURIComponent(scope)}`;
    await action({ context, data, path, scope, argument, comment: values.comment ?? '' });
    return 0;
  },
};

function scopeOf(whom: string): string {
  if (whom === 'all' || /^(cohort|agent):[A-Za-z0-9_-]{1,64}$/.test(whom)) return whom;
  if (ID_PATTERN.test(whom)) return `agent:${whom}`;
  throw new PicketError('usage.invalid', `\`${whom.slice(0, 80)}\` is none of all, cohort:NAME, the id of a machine.`);
}

function versionOf(text: string | undefined): number {
  const version = Number(text);
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new PicketError('usage.invalid', 'say which version: its number is in `configuration history`.');
}

async function given(file: string | undefined): Promise<string> {
  if (file === undefined) throw new PicketError('usage.invalid', 'say which file; `-` is standard input.');
  if (file !== '-') {
    return await readFile(file, 'utf8').catch((error: unknown) => {
      throw new PicketError('config.unreadable', `${file} cannot be read: ${messageOf(error)}.`, {}, error);
    });
  }
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

const layerOf = async ({ data, path }: Call): Promise<ConfigurationLayer> =>
  (await getFromCentral(data, path)) as ConfigurationLayer;

const post = async ({ data, path }: Call, action: string, body: unknown): Promise<ConfigurationLayer> =>
  (await postToCentral(data, `${path}/${action}`, body)) as ConfigurationLayer;

function moved({ context }: Call, layer: ConfigurationLayer): void {
  context.stdout(`${aboutLayer(layer).join('\n')}\n`);
}

async function show(call: Call): Promise<void> {
  const { context, data, scope } = call;
  const layer = await layerOf(call);
  context.stdout(`${aboutLayer(layer).join('\n')}\n`);
  if (layer.wanted !== null) context.stdout(`\n${layer.wanted.text.replace(/\n?$/, '\n')}`);
  if (!scope.startsWith('agent:')) return;
  const agent = scope.slice('agent:'.length);
  const its = (await getFromCentral(data, `/api/v1/agents/${agent}/configuration`)) as AgentConfiguration;
  const layers = Object.entries(its.layers).map(([name, version]) => `${name} ${version}`);
  const lines = [
    '',
    `machine     ${its.state}, version ${its.version}${layers.length === 0 ? '' : ` of ${layers.join(', ')}`}`,
    ...(its.running === its.version ? [] : [`goes by     version ${its.running}`]),
    ...(its.problem === null ? [] : [`problem     ${its.problem}`]),
    ...(its.left.length === 0 ? [] : [`kept there  ${its.left.join(', ')}`]),
    ...its.origins.map(({ key, layer: from }) => `  ${key}  (${from})`),
  ];
  context.stdout(`${lines.join('\n')}\n`);
}

function aboutLayer({ scope, newest, stable, rollout }: ConfigurationLayer): string[] {
  if (newest === 0) return [`${scope}: nothing is said`];
  const lines = [`${scope}: version ${stable === 0 ? 'none' : stable} is in force, ${newest} is the newest`];
  if (rollout !== null) {
    const members = Object.values(rollout.members);
    const has = members.filter(({ appliedMs, lost }) => appliedMs !== null && lost === null).length;
    const paused = rollout.pausedMs === null ? '' : ', paused';
    lines.push(`version ${rollout.version}: ${rollout.stage}${paused}: ${rollout.reason}`);
    lines.push(`            ${has} of ${members.length} machines have it`);
    for (const { agent, lost } of members) if (lost !== null) lines.push(`            ${agent}: ${lost}`);
  }
  return lines;
}

async function change(call: Call, text: string): Promise<void> {
  const { data, path, comment } = call;
  const { newest } = await layerOf(call);
  moved(call, (await putToCentral(data, path, { text, comment }, newest)) as ConfigurationLayer);
}

async function edit(call: Call): Promise<void> {
  const { context, data, path, comment } = call;
  const { newest, wanted } = await layerOf(call);
  const folder = await mkdtemp(join(tmpdir(), 'picket-configuration-'));
  try {
    const file = join(folder, 'configuration.yaml');
    await writeFile(file, wanted?.text ?? '', { mode: 0o600 });
    const editor = context.env.VISUAL ?? context.env.EDITOR ?? 'vi';
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    const code = await new Promise<number | null>((resolve, reject) => child.on('exit', resolve).on('error', reject));
    if (code !== 0) throw new PicketError('usage.invalid', `the editor ended with ${code}: nothing was changed.`);
    const text = await readFile(file, 'utf8');
    if (text === (wanted?.text ?? '')) context.stdout('nothing was changed\n');
    else moved(call, (await putToCentral(data, path, { text, comment }, newest)) as ConfigurationLayer);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionsOf({ data, path }: Call): Promise<readonly ConfigurationVersion[]> {
  return ((await getFromCentral(data, `${path}/versions`)) as { versions: readonly ConfigurationVersion[] }).versions;
}

async function history(call: Call): Promise<void> {
  const versions = await versionsOf(call);
  if (versions.length === 0) call.context.stdout(`${call.scope}: nothing was ever said\n`);
  for (const { version, author, atMs, comment } of versions) {
    const at = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
    call.context.stdout(`${String(version).padStart(4)}  ${at}  ${author}${comment === '' ? '' : `: ${comment}`}\n`);
  }
}

async function diff(call: Call): Promise<void> {
  const wanted = versionOf(call.argument);
  const versions = await versionsOf(call);
  const of = (number: number) => versions.find(({ version }) => version === number);
  const found = of(wanted);
  if (found === undefined) throw new PicketError('not_found', `there is no version ${wanted} of ${call.scope}.`);
  const lines = diffLines(of(wanted - 1)?.text ?? '', found.text).map(({ sign, text }) => `${sign} ${text}`);
  call.context.stdout(`${lines.join('\n')}\n`);
}
