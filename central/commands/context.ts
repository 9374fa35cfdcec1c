/** What every command of the central gets; `main.ts` fills it in with the real thing, tests with another. */
import { open } from 'node:fs/promises';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Address, parseAddress } from '../../shared/address.ts';
import type { Timers } from '../../shared/clock.ts';
import type { Command, CommandContext } from '../../shared/command-line.ts';
import { parseYamlOrThrow } from '../../shared/config/yaml.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { type CentralConfig, centralConfigSchema, plainBeyondLoopback } from '../config.ts';

/** The central as `run` sees it; `central/central.ts` starts it. */
export interface RunningCentral {
  /** Where pages and API are served, with the real port: `http://127.0.0.1:7070`. */
  readonly url: string;
  /** `host:port` of the embedded broker, with the real port; null with an external one. */
  readonly mqtt: string | null;
  /** PEM of the CA that clients of `url` must trust; null without TLS. */
  readonly ca: string | null;
  readonly user: string;
  /** At the first start only. */
  readonly newPassword: string | null;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly config: CentralConfig;
  /** Where it came from; null or not said: from no file. */
  readonly configFile?: string | null;
  readonly version: string;
  readonly log: Log;
  /** What its time goes by; not said: the machine's own clock. A bench replays a month in minutes. */
  readonly time?: CentralTime;
}

export interface CentralTime {
  readonly nowMs: () => number;
  readonly timers: Timers;
}

export interface CentralContext extends CommandContext {
  readonly usualConfig: string;
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  /** Asks at the terminal without an echo; null where there is none. */
  readonly askSecret?: ((question: string) => Promise<string>) | null;
  createLog(level: CentralConfig['log']['level']): Log;
  start(options: StartOptions): Promise<RunningCentral>;
}

export type CentralCommand = Command<CentralContext>;

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

/** What the command line says over the file. */
export interface Overrides {
  readonly config?: string | undefined;
  readonly http?: string | undefined;
  readonly mqtt?: string | undefined;
  readonly data?: string | undefined;
}

export const overrideOptions = {
  config: { type: 'string' },
  http: { type: 'string' },
  mqtt: { type: 'string' },
  data: { type: 'string' },
} as const;

export const overrideHelp = [
  '  --http HOST:PORT   where pages and API are served (default 127.0.0.1:7070; port 0 takes a free one)',
  '  --mqtt HOST:PORT   where the embedded broker is served (default 127.0.0.1:1883)',
  '  --data DIR         directory of history, models, keys and accounts',
  '  --config FILE      configuration; else /etc/picket/central.yaml if it exists, else the defaults',
].join('\n');

/** The configuration, and the file that it came from (null: the defaults). */
export async function loadConfig(
  given: Overrides,
  context: Pick<CentralContext, 'usualConfig'>,
): Promise<{ config: CentralConfig; file: string | null }> {
  const path = given.config ?? context.usualConfig;
  const text = await readConfig(path);
  if (text === null && given.config !== undefined)
    throw new PicketError('config.unreadable', `there is no file ${path}.`);
  const read = parseYamlOrThrow(text ?? '', centralConfigSchema, path);
  const config: CentralConfig = {
    ...read,
    http: given.http === undefined ? read.http : { listen: addressOf('--http', given.http) },
    mqtt: given.mqtt === undefined ? read.mqtt : { ...read.mqtt, listen: addressOf('--mqtt', given.mqtt) },
    data: given.data ?? read.data,
  };
  const plain = plainBeyondLoopback(config);
  if (plain !== null) throw new PicketError('config.invalid', `tls: ${plain}`);
  return { config, file: text === null ? null : path };
}

function addressOf(option: string, text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new PicketError('usage.invalid', `${option} ${text.slice(0, 100)}: ${messageOf(error)}`, {}, error);
  }
}

/** Null where there is no file. A larger one is cut off just past the bound, where the parser refuses it. */
async function readConfig(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(limits.configBytes + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.toString('utf8', 0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  }
}
