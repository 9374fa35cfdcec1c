/**
 * `rules:` of the configuration: by id, changes to a shipped rule, `false` to switch one off, or a rule of one's own.
 *
 *     rules:
 *       disk-space-low: false
 *       temperature-critical: {for: 5m}
 *       boiler-hot: {metric: boiler.temperature, where: {device: "boiler*"}, above: 90, clear: 85, for: 1m}
 */
import type { Problem, Schema, ValueOf } from '../../shared/config/schema.ts';
import {
  boolean,
  duration,
  eitherOf,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  optional,
  string,
} from '../../shared/config/types.ts';
import { severities } from '../../shared/findings.ts';
import { FORECAST_EDGE, TIME_TO_FULL } from '../../shared/forecast.ts';
import { type Condition, MOST_RULES, RULE_ID_PATTERN, type Rule, type Selector } from '../../shared/rules/rule.ts';
import { shippedRules } from '../../shared/rules/shipped.ts';

const DEFAULT_OVER_MS = 10 * 60_000;
const SECOND_MS = 1000;
/** The kinds of conditions, by the key that says one. */
const conditionKeys = ['above', 'below', 'rises', 'falls', 'absent', 'is', 'timeToFull'] as const;

const patterns = (doc: string) =>
  optional(
    mapOf({
      doc,
      key: { values: 'names of attributes', pattern: /^.{1,255}$/ },
      of: string({ doc: 'What it must be; `*` stands for any text, `|` for "or".', maxLength: 255 }),
      max: 16,
      example: { 'system.filesystem.mountpoint': '/data' },
    }),
  );

const ruleKeys = object({
  doc: 'A rule. One of `above`, `below`, `rises`, `falls`, `absent`, `is`, `timeToFull` says what is wrong; of a shipped rule, only what is to be otherwise.',
  keys: {
    metric: optional(
      string({
        doc: 'Name of the metric or state; `*` stands for any text, `|` for "or". Of a rule of your own required, but for `timeToFull`.',
        maxLength: 255,
        example: 'boiler.temperature',
      }),
    ),
    where: patterns('Attributes that the series must have.'),
    except: patterns('Attributes that the series must not have.'),
    above: optional(number({ doc: 'Wrong above it, in the unit of the series (shares from 0 to 1).', example: 90 })),
    below: optional(number({ doc: 'Wrong below it.', example: 2 })),
    rises: optional(
      number({ doc: 'Wrong when it rises by more than this a second, over the time in `over`.', example: 0.1 }),
    ),
    falls: optional(
      number({ doc: 'Wrong when it falls by more than this a second, over the time in `over`.', example: 0.1, min: 0 }),
    ),
    over: optional(duration({ doc: 'For `rises` and `falls`; not said: 10m.', min: '10s', max: '1d' })),
    absent: optional(duration({ doc: 'Wrong when no value comes for so long.', min: '5s', max: '30d' })),
    is: optional(
      listOf({
        doc: 'Wrong when the state is one of these texts.',
        of: string({ doc: 'A text.', maxLength: 255 }),
        min: 1,
        max: 16,
      }),
    ),
    was: optional(
      listOf({
        doc: 'For `is`: only where it was one of these before.',
        of: string({ doc: 'A text.', maxLength: 255 }),
        min: 1,
        max: 16,
      }),
    ),
    timeToFull: optional(
      duration({ doc: 'Wrong when a resource is expected to be full within it.', min: '1m', max: '365d' }),
    ),
    clear: optional(
      number({
        doc: 'The value at which it is well again, so that what hovers at the limit is told once. Not said: the limit; for `timeToFull` one and a half times it.',
        example: 85,
      }),
    ),
    for: optional(
      duration({ doc: 'How long it must be so before it is told. Not said: at once.', min: '0s', max: '7d' }),
    ),
    clearFor: optional(
      duration({ doc: 'How long it must be well again before it is over. Not said: at once.', min: '0s', max: '7d' }),
    ),
    severity: optional(oneOf({ doc: 'How grave it is. Not said: `warning`.', values: severities })),
    text: optional(string({ doc: 'What is wrong, in words; `{it}` stands for the thing.', maxLength: 200 })),
    advice: optional(string({ doc: 'What somebody can do about it.', maxLength: 500 })),
  },
});
type RuleKeys = ValueOf<typeof ruleKeys>;
type RuleSettings = Readonly<Record<string, boolean | RuleKeys>>;

const map = mapOf({
  doc: 'Rules, by id: facts that are wrong at any time, whatever was learned. The shipped ones need no configuration; `false` switches one off, settings change it, and another id makes a rule of your own.',
  key: { values: 'ids such as `boiler-hot` (lower-case letters, digits, `-`, `_`)', pattern: RULE_ID_PATTERN },
  of: eitherOf({
    doc: '`false` switches a rule off.',
    word: boolean({ doc: '`false` switches it off.' }),
    structure: ruleKeys,
  }),
  max: MOST_RULES - shippedRules.length,
  default: {},
  example: { 'disk-space-low': false },
});

/** The schema of `rules:`; what does not make a rule is refused with the key that is wrong. */
export const rulesSchema: Schema<RuleSettings> = {
  ...map,
  parse(input, path, problems) {
    const settings = map.parse(input, path, problems);
    if (settings === undefined) return undefined;
    const found: Problem[] = [];
    for (const [id, setting] of Object.entries(settings)) {
      const problem = problemOf(id, setting);
      if (problem === null) continue;
      found.push({
        path: [...path, id, ...(problem.key === '' ? [] : [problem.key])],
        code: 'config.invalid',
        message: problem.message,
      });
    }
    problems.push(...found);
    return found.length > 0 ? undefined : settings;
  },
};

/** The rules that are in force: the shipped ones as they were changed, and those of one's own. */
export function rulesOf(settings: RuleSettings): readonly Rule[] {
  const shipped = shippedRules
    .filter(({ id }) => settings[id] !== false)
    .map((rule) => {
      const setting = settings[rule.id];
      return typeof setting === 'object' ? changed(rule, setting) : rule;
    });
  const own = Object.entries(settings).flatMap(([id, setting]) =>
    typeof setting !== 'object' || shippedRules.some((rule) => rule.id === id) ? [] : [made(id, setting)],
  );
  return [...shipped, ...own];
}

function problemOf(id: string, setting: boolean | RuleKeys): { key: string; message: string } | null {
  const shipped = shippedRules.find((rule) => rule.id === id);
  if (typeof setting === 'boolean') {
    if (shipped !== undefined) return null;
    const ids = shippedRules.map((rule) => rule.id).join(', ');
    return { key: '', message: `there is no shipped rule of this id. There are: ${ids}.` };
  }
  const said = conditionKeys.filter((key) => setting[key] !== undefined);
  if (said.length > 1) return { key: said[1]!, message: `\`${said[0]}\` is said already: a rule has one condition.` };
  if (shipped === undefined && said.length === 0) {
    return { key: '', message: `the rule says no condition: one of ${conditionKeys.join(', ')}.` };
  }
  if (shipped === undefined && setting.metric === undefined && setting.timeToFull === undefined) {
    return { key: '', message: 'the rule says no `metric`.' };
  }
  const { above, below, clear } = setting;
  if (clear !== undefined && above !== undefined && clear > above)
    return { key: 'clear', message: 'must not be above the limit.' };
  if (clear !== undefined && below !== undefined && clear < below)
    return { key: 'clear', message: 'must not be below the limit.' };
  return null;
}

function changed(rule: Rule, setting: RuleKeys): Rule {
  return {
    ...rule,
    selector: selectorOf(setting, rule.selector),
    condition: conditionOf(setting) ?? reclear(rule.condition, setting.clear),
    ...spoken(setting),
  };
}

function made(id: string, setting: RuleKeys): Rule {
  const forecast = setting.timeToFull !== undefined;
  const selector = selectorOf(setting, {
    metric: forecast ? TIME_TO_FULL : '',
    where: forecast ? { [FORECAST_EDGE]: 'expected' } : {},
    except: {},
  });
  return {
    id,
    selector,
    condition: conditionOf(setting)!,
    forMs: 0,
    clearForMs: 0,
    severity: 'warning',
    text: `rule ${id}: {it}`,
    advice: '',
    ...spoken(setting),
  };
}

function selectorOf({ metric, where, except }: RuleKeys, before: Selector): Selector {
  return {
    metric: metric ?? before.metric,
    where: { ...before.where, ...where },
    except: { ...before.except, ...except },
  };
}

function spoken(setting: RuleKeys): Partial<Rule> {
  return {
    ...(setting.for === undefined ? {} : { forMs: setting.for }),
    ...(setting.clearFor === undefined ? {} : { clearForMs: setting.clearFor }),
    ...(setting.severity === undefined ? {} : { severity: setting.severity }),
    ...(setting.text === undefined ? {} : { text: setting.text }),
    ...(setting.advice === undefined ? {} : { advice: setting.advice }),
  };
}

function conditionOf(setting: RuleKeys): Condition | null {
  const { above, below, rises, falls, absent, is, was, timeToFull, clear } = setting;
  const overMs = setting.over ?? DEFAULT_OVER_MS;
  if (above !== undefined) return { kind: 'threshold', side: 'above', limit: above, clear: clear ?? above };
  if (below !== undefined) return { kind: 'threshold', side: 'below', limit: below, clear: clear ?? below };
  if (rises !== undefined) return { kind: 'rate', side: 'above', limit: rises, clear: clear ?? rises, overMs };
  if (falls !== undefined) return { kind: 'rate', side: 'below', limit: -falls, clear: -(clear ?? falls), overMs };
  if (absent !== undefined) return { kind: 'absence', afterMs: absent };
  if (is !== undefined) return { kind: 'state', is, was: was ?? null };
  if (timeToFull === undefined) return null;
  const limit = timeToFull / SECOND_MS;
  return { kind: 'timeToFull', limit, clear: clear ?? 1.5 * limit };
}

function reclear(condition: Condition, clear: number | undefined): Condition {
  if (clear === undefined || condition.kind === 'state' || condition.kind === 'absence') return condition;
  return { ...condition, clear };
}
