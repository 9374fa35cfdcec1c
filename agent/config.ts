/**
 * The agent's configuration. It needs none: every key has a default, and address, credentials and trust come from the
 * enrolment. Kinds of inputs are passed in, so that only the registry imports them.
 */

import type { Problem, Schema, ValueOf } from '../shared/config/schema.ts';
import { nearest, suggestion } from '../shared/config/suggest.ts';
import {
  boolean,
  bytes,
  duration,
  integer,
  listOf,
  localOnly,
  number,
  object,
  oneOf,
  optional,
  string,
  text,
} from '../shared/config/types.ts';
import { parseBytes } from '../shared/config/units.ts';
import { limits, MINUTE_MS, TEN_MINUTES_MS } from '../shared/limits.ts';
import { BROKER_PATTERN, PREFIX_PATTERN } from '../shared/trust/enrolment.ts';
import { forecastSettings } from './forecast/settings.ts';
import type { Host, InputKind } from './inputs/input.ts';
import { rulesSchema } from './rules/settings.ts';
import { siteSchema } from './site-config.ts';

export type InputKinds = ReadonlyMap<string, InputKind<unknown>>;

/** Devices of one kind of input. */
const maxInputsOfKind = 64;

const MONTHLY = '/month';
/** Below it not even the hours of a small machine and an incident would have room. */
const LEAST_MONTHLY_BYTES = 1e6;
const MOST_MONTHLY_BYTES = 1e12;

/** `false`: switched off. A list: one entry for each device, parsed. A kind that is not named runs if it is automatic. */
export type InputSettings = Readonly<Record<string, false | readonly unknown[]>>;

const outbox = object({
  doc: 'Where records wait on disk until the central has them.',
  keys: {
    size: bytes({
      doc: 'Most bytes on disk; past it the oldest detail goes first and is named as a gap.',
      default: '64MB',
      min: '8MB',
      max: '1TB',
    }),
    keepAcknowledged: duration({
      doc: 'How long records are kept after the central has acknowledged them, for a central that is restored.',
      default: '24h',
      min: '0s',
      max: '90d',
    }),
    commitInterval: duration({
      doc: 'How often records are written for certain; a power cut takes at most this much. Longer spares flash.',
      default: '5s',
      min: '1s',
      max: '60s',
    }),
  },
});

const caps = object({
  doc: 'What the agent may take of the machine.',
  keys: {
    series: integer({
      doc: 'Most series that are kept; more of them end in one warning that names the metric.',
      default: limits.seriesPerAgent,
      min: 16,
      max: limits.seriesPerTable,
    }),
    recentMemory: bytes({
      doc: 'Memory for the last hour at full rate, from which evidence and live charts are taken.',
      default: '4MB',
      min: '256kB',
      max: '256MB',
    }),
  },
});

const connection = object({
  doc: 'Local only. Overrides parts of the enrolment, which normally says all of this.',
  keys: {
    broker: optional(
      string({
        doc: 'Another way to the broker.',
        pattern: BROKER_PATTERN,
        values: '`mqtt://host:port` or `mqtts://host:port`',
        example: 'mqtts://central.example:8883',
      }),
    ),
    prefix: optional(
      string({
        doc: 'What all topics begin with.',
        pattern: PREFIX_PATTERN,
        values: 'topic levels such as `picket/1`',
        example: 'picket/1',
      }),
    ),
  },
});

const rootPath = (doc: string, example: string) =>
  optional(string({ doc, values: 'an absolute path', pattern: /^\//, example }));

const hostRoots = object({
  doc: 'Local only. Where the machine is found: an agent in a container sees its host through mounts.',
  keys: {
    proc: rootPath("The machine's `/proc`; not said: `/proc`.", '/host/proc'),
    sys: rootPath("The machine's `/sys`; not said: `/sys`.", '/host/sys'),
    root: rootPath("The machine's `/`, for mount points, `/run` and `/etc`; not said: `/`.", '/host'),
  },
});

/** The schema of the whole file, for these kinds of inputs. */
export function agentConfigSchema(kinds: InputKinds) {
  return object({
    doc: 'The configuration of an agent.',
    keys: {
      inputs: inputsSchema(kinds),
      data: localOnly(
        optional(
          string({
            doc: 'Local only. Directory of the outbox, the enrolment and the learned state. Not said: the one that systemd gives, else `/var/lib/picket-agent`.',
            values: 'an absolute path',
            pattern: /^\//,
            example: '/var/lib/picket-agent',
          }),
        ),
      ),
      rules: rulesSchema,
      outbox,
      limits: caps,
      connection: localOnly(connection),
      host: localOnly(hostRoots),
      site: localOnly(optional(siteSchema)),
      backlogRate: bytes({
        doc: 'Bytes a second at which what was kept during an outage is sent, so that the live values keep their room.',
        default: '64kB',
        min: '1kB',
        max: '100MB',
      }),
      uplink: optional(
        text<number>({
          doc: 'Most bytes that the connection may take in any 30 days, with TLS, keep-alive and acknowledgements counted in. The agent then chooses windows, sketches and how often it sends by itself, and reports what it gave up: detail first, then sketches, then rate. Not said: no bound.',
          values: 'a size a month such as `30MB/month`, from `1MB/month` to `1TB/month`',
          pattern: '^[0-9]+(\\.[0-9]+)? ?([kKMGT]i?)?B/month$',
          example: '30MB/month',
          parse: monthlyBytes,
        }),
      ),
      window: optional(
        text<number>({
          doc: 'Length of a summary, always. Not said: a minute, or what the budget of the connection has room for.',
          values: '`1m` or `10m`',
          pattern: '^(1m|10m)$',
          example: '10m',
          parse: (word) => (word === '1m' ? MINUTE_MS : word === '10m' ? TEN_MINUTES_MS : null),
        }),
      ),
      timezone: optional(
        text<string>({
          doc: "The site's time zone, in which days and weeks repeat. Not said: the machine's own.",
          values: 'an IANA time zone such as `Europe/Zurich`',
          example: 'Europe/Zurich',
          parse: knownZone,
        }),
      ),
      budget: object({
        doc: 'How much the agent may find unusual. Rules, forecasts and data quality are no matter of chance: they stand outside of both budgets.',
        keys: {
          findingsPerDay: number({
            doc: 'False incidents a day that are shown and wake nobody; the bar is set so that no more are expected, and follows what this machine has shown.',
            default: 1,
            min: 0.01,
            max: 1000,
          }),
          notificationsPerWeek: number({
            doc: "False notifications a week out of this machine's own findings, until a central gives it a share of the fleet's.",
            default: 5,
            min: 0,
            max: 1000,
          }),
        },
      }),
      forecast: forecastSettings,
      raw: oneOf({
        doc: 'When full-rate samples may leave the machine: never, as evidence of an incident, or also when asked for.',
        values: ['never', 'incident', 'demand'],
        default: 'demand',
      }),
      managed: localOnly(
        boolean({
          doc: 'Local only. Whether the central may change this configuration, but for what is local only.',
          default: true,
        }),
      ),
      locked: localOnly(
        listOf({
          doc: 'Local only. Keys that the central may not change, with all below them: what this file says of them holds.',
          of: string({
            doc: 'A key.',
            pattern: /^[A-Za-z][A-Za-z0-9._-]{0,127}$/,
            values: 'a key such as `raw` or `inputs.modbus`',
          }),
          default: [],
          max: 64,
          example: ['raw', 'inputs.modbus'],
        }),
      ),
      secrets: localOnly(
        optional(
          string({
            doc: 'Local only. File with a line `name=value` for each secret that this configuration refers to (configuration.md); of the user that the agent runs as, mode 0600. Not said: there are no secrets.',
            values: 'an absolute path',
            pattern: /^\//,
            example: '/etc/picket/secrets',
          }),
        ),
      ),
      log: object({
        doc: 'What is written to standard error, as JSON lines.',
        keys: {
          level: oneOf({
            doc: 'The least that is written.',
            values: ['debug', 'info', 'warn', 'error'],
            default: 'info',
          }),
        },
      }),
    },
  });
}

export type AgentConfig = ValueOf<ReturnType<typeof agentConfigSchema>>;

/** Bytes of `30MB/month`, or null where it is none or out of bounds. */
function monthlyBytes(text: string): number | null {
  const sizeBytes = text.endsWith(MONTHLY) ? parseBytes(text.slice(0, -MONTHLY.length)) : null;
  return sizeBytes !== null && sizeBytes >= LEAST_MONTHLY_BYTES && sizeBytes <= MOST_MONTHLY_BYTES ? sizeBytes : null;
}

function knownZone(name: string): string | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    const near = nearest(name, Intl.supportedValuesOf('timeZone'));
    if (near !== null) throw new Error(`Did you mean \`${near}\`?`);
    return null;
  }
}

/** The zone that seasons are in. */
export function timezoneOf(config: AgentConfig): string {
  return config.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The directory that the agent keeps its state in: the command line's, the file's, systemd's, the usual one. */
export function dataDirectoryOf(config: AgentConfig, given: string | undefined, env: NodeJS.ProcessEnv): string {
  // systemd gives several directories with colons between them; the unit of `install` asks for one.
  return given ?? config.data ?? env.STATE_DIRECTORY?.split(':')[0] ?? '/var/lib/picket-agent';
}

/** The host with the roots that the configuration names; time stays this machine's own. */
export function hostOf({ host: { proc, sys, root } }: AgentConfig, host: Host): Host {
  return { ...host, procRoot: proc ?? host.procRoot, sysRoot: sys ?? host.sysRoot, root: root ?? host.root };
}

/** Keys are kinds; a value is the settings of one device, a list of them, or `false`. */
function inputsSchema(kinds: InputKinds): Schema<InputSettings> {
  const doc =
    'What is measured, by kind. Those that are automatic run without being named; settings change one, a list of settings reads several devices, `false` switches it off.';
  const names = [...kinds.keys()];
  const parse: Schema<InputSettings>['parse'] = (input, path, problems) => {
    if (input === undefined || input === null) return {};
    if (typeof input !== 'object' || Array.isArray(input)) {
      problems.push({
        path,
        code: 'config.invalid',
        message: 'must be a mapping from kinds of inputs to their settings.',
      });
      return undefined;
    }
    const before = problems.length;
    const entries: [string, false | readonly unknown[]][] = [];
    for (const [name, value] of Object.entries(input)) {
      const kind = kinds.get(name);
      if (kind === undefined) {
        const message = `"${name.slice(0, 60)}" is no kind of input.${suggestion(name, names)}`;
        problems.push({ path: [...path, name], code: 'config.invalid', message, atKey: true });
        continue;
      }
      const parsed = parseSetting(kind, value, [...path, name], problems);
      if (parsed !== undefined) entries.push([name, parsed]);
    }
    return problems.length > before ? undefined : Object.fromEntries(entries);
  };
  const toJsonSchema = (): Record<string, unknown> => ({
    type: 'object',
    description: doc,
    properties: Object.fromEntries([...kinds].map(([name, kind]) => [name, settingJson(kind)])),
    additionalProperties: false,
  });
  return { doc, fallback: {}, parse, toJsonSchema };
}

function parseSetting(
  kind: InputKind<unknown>,
  value: unknown,
  path: readonly (string | number)[],
  problems: Problem[],
): false | readonly unknown[] | undefined {
  if (value === false) return false;
  const fail = (message: string): undefined => void problems.push({ path, code: 'config.invalid', message });
  if (!Array.isArray(value)) {
    // `true` and nothing at all both say: run it as it is.
    const parsed = kind.config.parse(value === true || value === null ? {} : value, path, problems);
    return parsed === undefined ? undefined : [parsed];
  }
  if (value.length === 0)
    return fail('the list is empty: `false` switches the input off, without the key it is automatic.');
  if (value.length > maxInputsOfKind)
    return fail(`the list has ${value.length} entries: must have at most ${maxInputsOfKind}.`);
  const before = problems.length;
  const list: unknown[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of value.entries()) {
    const parsed = kind.config.parse(entry ?? {}, [...path, index], problems);
    const name = nameOf(parsed);
    if (name !== undefined && seen.has(name)) {
      problems.push({
        path: [...path, index, 'name'],
        code: 'config.invalid',
        message: `"${name}" is there already: each device needs a name of its own.`,
      });
    } else if (name !== undefined) seen.add(name);
    list.push(parsed);
  }
  return problems.length > before ? undefined : list;
}

function nameOf(config: unknown): string | undefined {
  const name = (config as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
}

function settingJson(kind: InputKind<unknown>): Record<string, unknown> {
  const settings = kind.config.toJsonSchema();
  return {
    description: kind.doc,
    // The list has the same keys as the mapping: documents show them once.
    anyOf: [
      { type: 'boolean' },
      settings,
      { type: 'array', items: settings, minItems: 1, maxItems: maxInputsOfKind, 'x-same': true },
    ],
    'x-values': '`false`, a mapping, or a list of mappings',
  };
}

/** One input that is to run. */
export interface ChosenInput {
  /** `linux.cpu`, `modbus/boiler`, `modbus/2`: for messages and the input's own metrics. */
  readonly label: string;
  readonly kindName: string;
  readonly kind: InputKind<unknown>;
  readonly config: unknown;
  /** Whether the operator asked for it; an automatic one that finds nothing to read is no failure. */
  readonly automatic: boolean;
}

/** What is to run here: what the operator configured, and what is automatic and not switched off. */
export function chooseInputs(settings: InputSettings, kinds: InputKinds, host: Host): readonly ChosenInput[] {
  const chosen: ChosenInput[] = [];
  for (const [kindName, kind] of kinds) {
    const setting = Object.hasOwn(settings, kindName) ? settings[kindName] : undefined;
    if (setting === false) continue;
    if (setting === undefined) {
      if (!kind.automatic(host)) continue;
      const config = kind.config.fallback ?? kind.config.parse({}, [], []);
      if (config !== undefined) chosen.push({ label: kindName, kindName, kind, config, automatic: true });
      continue;
    }
    for (const [index, config] of setting.entries()) {
      const ending = nameOf(config) ?? (setting.length > 1 ? String(index + 1) : undefined);
      const label = ending === undefined ? kindName : `${kindName}/${ending}`;
      chosen.push({ label, kindName, kind, config, automatic: false });
    }
  }
  return chosen;
}
