/** `cohorts`: which machines behave alike, through the central that runs here. */
import { PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import type { Cohort, CohortMember, CohortsState } from '../cohorts/api.ts';
import { getFromCentral, postToCentral } from './api-client.ts';
import { type CentralCommand, loadConfig, parseOptions } from './context.ts';

const options = { data: { type: 'string' }, config: { type: 'string' } } as const;

export const cohortsCommand: CentralCommand = {
  usage: 'cohorts [list | show NAME | set AGENT NAME | free AGENT | rename NAME NEW | round]',
  doc: 'Machines that behave alike, and so learn from each other.',
  options: [
    '  list              all cohorts with their machines (the default)',
    '  show NAME         one: what its machines have in common, and why each is there',
    '  set AGENT NAME    puts a machine into a cohort, where it stays; a new name begins one',
    '  free AGENT        leaves it to how it behaves again',
    '  rename NAME NEW   gives a cohort another name, which it keeps',
    '  round             looks at all machines now, as is done once a day',
    '  --data DIR        data directory of the running central, where it is not the configuration’s',
    '  --config FILE     its configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(context.args, options, 3);
    const [what = 'list', about, name] = positionals;
    const { config } = await loadConfig(values, context);
    const ask = async (path: string, body: unknown): Promise<CohortsState> =>
      (await postToCentral(config.data, path, body)) as CohortsState;
    const tell = (state: CohortsState): number => {
      context.stdout(`${overview(state)}\n`);
      return 0;
    };
    const state = async () => (await getFromCentral(config.data, '/api/v1/cohorts')) as CohortsState;
    if (what === 'list' && about === undefined) return tell(await state());
    if (what === 'round' && about === undefined) return tell(await ask('/api/v1/cohorts/round', {}));
    if (what === 'show' && about !== undefined && name === undefined) {
      const found = (await state()).cohorts.find((cohort) => cohort.name === about);
      if (found === undefined) throw new PicketError('not_found', `There is no cohort ${about.slice(0, 64)}.`);
      context.stdout(`${detail(found)}\n`);
      return 0;
    }
    if (what === 'set' && about !== undefined && name !== undefined) {
      return tell(await ask(`/api/v1/agents/${checked(about)}/cohort`, { cohort: checked(name) }));
    }
    if (what === 'free' && about !== undefined && name === undefined) {
      return tell(await ask(`/api/v1/agents/${checked(about)}/cohort`, { cohort: null }));
    }
    if (what === 'rename' && about !== undefined && name !== undefined) {
      return tell(await ask(`/api/v1/cohorts/${checked(about)}/rename`, { name: checked(name) }));
    }
    throw new PicketError(
      'usage.invalid',
      'say list, show NAME, set AGENT NAME, free AGENT, rename NAME NEW or round.',
    );
  },
};

function checked(name: string): string {
  if (ID_PATTERN.test(name)) return name;
  throw new PicketError(
    'usage.invalid',
    `\`${name.slice(0, 64)}\` is no name: letters, digits, "-" and "_", at most 64.`,
  );
}

function overview({ cohorts, alone, roundMs }: CohortsState): string {
  const lines = cohorts.map(({ name, members }) => {
    const count = `${members.length} ${members.length === 1 ? 'machine' : 'machines'}`;
    return `${name}  ${count}: ${members.map(({ agent }) => agent).join(' ')}`;
  });
  for (const why of ['alone', 'young'] as const) {
    const agents = alone.filter((one) => one.why === why).map(({ agent }) => agent);
    const words = why === 'alone' ? 'like no other' : 'too young to say';
    if (agents.length > 0) lines.push(`${words}: ${agents.join(' ')}`);
  }
  const looked = roundMs === null ? 'nobody was looked at yet' : `looked at ${new Date(roundMs).toISOString()}`;
  return [...lines, looked].join('\n');
}

function detail({ name, traits, members }: Cohort): string {
  const common = traits.map(
    ({ what, here, elsewhere }) => `  ${what}: ${here}${elsewhere === '' ? '' : ` (${elsewhere})`}`,
  );
  return [name, ...common, ...members.map((member) => `  ${machine(member)}`)].join('\n');
}

/** `pump-7  since 2026-03-01, by hand; distance 0.40; nearer to b for 2 rounds`. */
function machine({ agent, by, sinceMs, distance, leaning }: CohortMember): string {
  const why = { hand: 'by hand', clusters: 'by how it behaves', first: 'from its first minutes' }[by];
  const far = distance === null ? '' : `; distance ${distance.toFixed(2)}`;
  const to = leaning === null ? '' : `; nearer to ${leaning.cohort ?? 'none'} for ${leaning.rounds} rounds`;
  return `${agent}  since ${new Date(sinceMs).toISOString().slice(0, 10)}, ${why}${far}${to}`;
}
