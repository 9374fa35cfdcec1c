/** What every command of the agent gets; `main.ts` fills it in with the real machine, tests with another. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Command, CommandContext } from '../../shared/command-line.ts';
import { parseValue, type Schema } from '../../shared/config/schema.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import { type AgentConfig, agentConfigSchema, type InputKinds } from '../config.ts';
import type { LocalConfiguration } from '../configuration/effective.ts';
import type { ConfigurationStage } from '../configuration/stage.ts';
import type { Host, Log } from '../inputs/input.ts';
import { readBounded } from '../state/files.ts';
import type { AgentReport } from '../status.ts';

/** The agent as `run` sees it; `agent/agent.ts` starts it. */
export interface RunningAgent {
  /** Resolves when all is written and closed. */
  stop(): Promise<void>;
  report(): AgentReport;
}

export interface StartOptions {
  readonly config: AgentConfig;
  readonly dataDir: string;
  readonly version: string;
  /** Where inputs find the machine; the agent brings its own clock and log. */
  readonly host: Host;
  readonly log: Log;
  /** What the central may change of the configuration; not said: nothing. */
  readonly configuration?: ConfigurationStage;
}

export interface AgentContext extends CommandContext {
  readonly kinds: InputKinds;
  readonly host: Host;
  /** Where the configuration is looked for when nothing is said. */
  readonly usualConfig: string;
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  start(options: StartOptions): Promise<RunningAgent>;
}

export type AgentCommand = Command<AgentContext>;

/** `parseArgs` with errors of ours. */
export function parseOptions<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
  positionals = 0,
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new PicketError('usage.invalid', messageOf(error), {}, error);
  }
  const extra = parsed.positionals[positionals];
  if (extra !== undefined)
    throw new PicketError('usage.invalid', `\`${extra.slice(0, 60)}\` is one argument too many.`);
  return parsed;
}

/** The configuration and the file that it came from; without a file, the defaults. */
export async function loadConfig(
  given: string | undefined,
  context: Pick<AgentContext, 'kinds' | 'usualConfig'>,
): Promise<LocalConfiguration> {
  const path = given ?? context.usualConfig;
  const text = await readBounded(path, limits.configBytes);
  if (text === null && given !== undefined) throw new PicketError('config.unreadable', `there is no file ${given}.`);
  const schema = agentConfigSchema(context.kinds);
  if (text === null) {
    const defaults = parseValue(schema, {});
    if (defaults.ok) return { config: defaults.value, raw: {}, file: null };
  }
  // Loaded only where there is a file: the parser takes a megabyte of memory.
  const { parseYamlOrThrow } = await import('../../shared/config/yaml.ts');
  // As it is written, too: what comes from the central is laid over that.
  const both: Schema<{ config: AgentConfig; raw: JsonObject }> = {
    doc: schema.doc,
    fallback: undefined,
    toJsonSchema: schema.toJsonSchema,
    parse(input, at, problems) {
      const config = schema.parse(input, at, problems);
      return config === undefined ? undefined : { config, raw: (input ?? {}) as JsonObject };
    },
  };
  return { ...parseYamlOrThrow(text ?? '', both, path), file: text === null ? null : path };
}
