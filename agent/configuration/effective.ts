/** The configuration that an agent runs with: its own file, what the central says over it, and secrets in their places. */
import { isDeepStrictEqual } from 'node:util';
import { allowedBy, mergeLayers } from '../../shared/config/managed.ts';
import { placeholderProblems, placeholdersOf, withSecrets } from '../../shared/config/placeholders.ts';
import { formatPath, type Problem, parseValue } from '../../shared/config/schema.ts';
import { PicketError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import { type AgentConfig, agentConfigSchema, type ChosenInput, chooseInputs, type InputKinds } from '../config.ts';
import type { Host } from '../inputs/input.ts';
import { readSecrets } from './secrets.ts';

/** Problems that one message names. */
const TOLD = 5;
/** Keys that decide whether, and how often, the central hears of this machine. */
const connectionKeys = ['uplink', 'window', 'backlogRate', 'outbox'] as const;

/** The machine's own file: what it means, and as it is written. */
export interface LocalConfiguration {
  readonly config: AgentConfig;
  readonly raw: JsonObject;
  /** Null where there is none. */
  readonly file: string | null;
}

export interface EffectiveConfiguration {
  readonly config: AgentConfig;
  /** Keys that the central says and the machine's own file keeps. */
  readonly left: readonly string[];
}

/**
 * Throws `config.invalid` with what is wrong; also where a secret is asked for that is not there.
 * @param values of the central; null: it says nothing
 */
export async function effectiveConfiguration(
  local: LocalConfiguration,
  values: JsonObject | null,
  kinds: InputKinds,
): Promise<EffectiveConfiguration> {
  if (values === null && placeholdersOf(local.raw).length === 0) return { config: local.config, left: [] };
  const schema = agentConfigSchema(kinds);
  const json = schema.toJsonSchema();
  if (values !== null) {
    // Rare, and hence loaded only then.
    const { schemaFromJson } = await import('../../shared/config/from-json.ts');
    const problems: Problem[] = [];
    schemaFromJson(json, true).parse(values, [], problems);
    throwWhere(problems);
  }
  const { values: allowed, left } = allowedBy(local.raw, values ?? {}, local.config.locked);
  const merged = mergeLayers([
    { name: 'local', values: local.raw },
    { name: 'central', values: allowed },
  ]);
  throwWhere(placeholderProblems(merged, json));
  const needed = placeholdersOf(merged);
  const secrets = needed.length === 0 ? new Map<string, string>() : await secretsFor(local.config, needed[0]!.name);
  const resolved = withSecrets(merged, (name) => {
    const value = secrets.get(name);
    if (value !== undefined) return value;
    throw new PicketError('config.invalid', `there is no secret "${name}" in ${local.config.secrets}.`);
  });
  const result = parseValue(schema, resolved);
  if (!result.ok) {
    throwWhere(result.problems);
    throw new PicketError('config.invalid', 'the configuration is not one.');
  }
  return { config: result.value, left };
}

function secretsFor({ secrets }: AgentConfig, name: string): Promise<ReadonlyMap<string, string>> {
  if (secrets !== undefined) return readSecrets(secrets);
  throw new PicketError(
    'config.invalid',
    `secret "${name}" is asked for, and the machine's own file names no file of secrets (\`secrets:\`).`,
  );
}

function throwWhere(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const told = problems.slice(0, TOLD).map(({ path, message }) => `${formatPath(path)}: ${message}`);
  const more = problems.length > TOLD ? ` (and ${problems.length - TOLD} more)` : '';
  throw new PicketError('config.invalid', `${told.join(' ')}${more}`.slice(0, 500));
}

/** Inputs that run with `after` and did not so with `before`. */
export function changedInputs(
  before: AgentConfig,
  after: AgentConfig,
  kinds: InputKinds,
  host: Host,
): readonly ChosenInput[] {
  const ran = new Map(chooseInputs(before.inputs, kinds, host).map((input) => [input.label, input.config]));
  return chooseInputs(after.inputs, kinds, host).filter(
    ({ label, config }) => !ran.has(label) || !isDeepStrictEqual(ran.get(label), config),
  );
}

/** Whether the connection depends on what is otherwise. */
export function touchesConnection(before: AgentConfig, after: AgentConfig): boolean {
  return connectionKeys.some((key) => !isDeepStrictEqual(before[key], after[key]));
}
