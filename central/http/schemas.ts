/** JSON Schemas of what the API says, each under its name in `components/schemas` of the OpenAPI document. */
import { changeKinds, noticeReasons, severities, shapes } from '../../shared/findings.ts';
import { limits } from '../../shared/limits.ts';
import { missingCauses } from '../store/store.ts';
import { alertSchemas } from './alert-schemas.ts';
import { cohortSchemas } from './cohort-schemas.ts';
import { configurationSchemas } from './configuration-schemas.ts';
import { feedbackSchemas, judgedParts } from './feedback-schemas.ts';
import { keysSchemas } from './keys-schemas.ts';
import { reportSchemas } from './report-schemas.ts';
import { rolloutSchemas } from './rollout-schemas.ts';
import {
  agentId,
  anything,
  epochId,
  flag,
  integer,
  list,
  mapOf,
  number,
  numberOrNull,
  object,
  oneOf,
  orNull,
  type Schema,
  seriesId,
  text,
  timeMs,
  timeMsOrNull,
} from './schema-parts.ts';

export * from './schema-parts.ts';

export const ref = (name: SchemaName): Schema => ({ $ref: `${name}#` });

const numbers = list(number);
const numbersOrNull = list(numberOrNull);
/** Only there where it is true. */
const uncertain: Schema = {
  ...flag,
  description:
    'true where its place in time is a guess: the machine did not know the time and was not heard while it ran',
};
const textMap = mapOf(text);
const numberMap = mapOf(number);

const key = { name: text, unit: text, attributes: textMap };
const textOrNull: Schema = { type: ['string', 'null'] };
/** Only there where it is true. */
const onlyTrue: Schema = { ...flag, description: 'only there where it is true' };
const finding = {
  series: seriesId,
  key: object(key),
  detector: text,
  tier: oneOf('full', 'window'),
  sinceMs: timeMs,
  lastMs: timeMs,
  seen: numberOrNull,
  expectedLow: numberOrNull,
  expectedHigh: numberOrNull,
  bits: numberOrNull,
  returnPeriodMs: numberOrNull,
};
/** Of some detectors only. */
const moreOfFinding = {
  intervalMs: number,
  shape: oneOf(...shapes),
  members: list(
    object({
      series: seriesId,
      key: object(key),
      share: number,
      seen: numberOrNull,
      expectedLow: numberOrNull,
      expectedHigh: numberOrNull,
    }),
    'series of a group, the greatest share first',
  ),
  forecast: object(
    {
      reaches: oneOf('full', 'empty', 'expired', 'worn'),
      bound: numberOrNull,
      etaMs: timeMs,
      earliestMs: timeMsOrNull,
      latestMs: timeMsOrNull,
      perDay: numberOrNull,
      pace: text,
      undated: onlyTrue,
    },
    ['pace', 'undated'],
  ),
  rule: text,
  limit: number,
  severity: oneOf(...severities),
  wrong: text,
  advice: text,
  ended: onlyTrue,
  holds: onlyTrue,
  muted: onlyTrue,
};
const agentRecord = {
  id: agentId,
  name: text,
  site: text,
  tags: textMap,
  enrolledMs: timeMs,
  retiredMs: timeMsOrNull,
};

/** Columns of a summary answer, in the order of the API. */
export const summaryColumns = [
  'lengthsMs',
  'count',
  'mean',
  'deviation',
  'min',
  'max',
  'last',
  'anomalyShare',
  'highestScore',
] as const;

export const schemas = {
  Problem: object(
    { type: text, title: text, status: integer, detail: text, code: text, hint: text, facts: mapOf(anything) },
    ['facts'],
  ),
  Session: object({ user: text, csrf: text, expiresMs: timeMs }),
  Mute: object({
    id: text,
    rule: textOrNull,
    series: textOrNull,
    reason: text,
    by: text,
    fromMs: timeMs,
    untilMs: timeMs,
  }),
  MuteOrder: object({
    id: text,
    madeMs: timeMs,
    endsMs: timeMs,
    forMs: numberOrNull,
    rule: textOrNull,
    series: textOrNull,
    reason: text,
    by: text,
    state: oneOf('waiting', 'done', 'refused', 'expired'),
    problem: textOrNull,
    settledMs: timeMsOrNull,
  }),
  Reported: object(
    {
      agentVersion: text,
      manifestVersion: number,
      applied: list(object({ slot: text, releaseSha256: text, appliedMs: timeMs })),
      supports: list(object({ kind: text, major: number, featureVersion: number })),
      refusals: list(object({ what: text, code: text, message: text, atMs: timeMs })),
      commandsDone: list(text),
      health: mapOf(numberOrNull),
      warnings: list(text),
      mutes: list({ $ref: 'Mute#' }),
    },
    ['mutes'],
  ),
  AgentFlag: object({
    id: text,
    kind: oneOf('clone', 'rolled_back', 'replaced', 'conflict'),
    sinceMs: timeMs,
    parent: { type: ['string', 'null'] },
    epochs: list(object({ epoch: epochId, boot: { type: ['string', 'null'] }, firstMs: timeMs })),
    text,
    advice: text,
  }),
  AgentState: object(
    {
      ...agentRecord,
      presence: oneOf('online', 'offline', 'unknown'),
      lastSeenMs: timeMsOrNull,
      pendingRecords: number,
      openIncidents: number,
      flags: list({ $ref: 'AgentFlag#' }),
      reported: orNull({ $ref: 'Reported#' }),
      modelVersion: numberOrNull,
      desiredVersion: numberOrNull,
      cohort: orNull(text),
      vitals: object({ cpu: numberOrNull, memory: numberOrNull, disk: numberOrNull, load1: numberOrNull }),
    },
    ['cohort'],
  ),
  LatestSeries: object({
    id: seriesId,
    ...key,
    timeMs,
    mean: numberOrNull,
    min: numberOrNull,
    max: numberOrNull,
    last: numberOrNull,
    anomalyShare: numberOrNull,
    highestScore: numberOrNull,
  }),
  SummaryColumns: object(
    {
      id: seriesId,
      timesMs: list(timeMs, 'ends of the windows, rising'),
      ...Object.fromEntries(summaryColumns.map((name) => [name, numbersOrNull])),
    },
    summaryColumns,
  ),
  Band: object({
    version: { ...number, description: 'version of the model; 0 where none expects anything' },
    timesMs: numbers,
    low: numbersOrNull,
    high: numbersOrNull,
  }),
  Incident: object(
    {
      agent: agentId,
      epoch: epochId,
      seq: integer,
      revision: integer,
      state: oneOf('open', 'closed'),
      severity: oneOf('info', 'warning', 'critical'),
      openedMs: timeMs,
      updatedMs: timeMs,
      closedMs: timeMsOrNull,
      uncertain,
      title: text,
      findings: list(
        object({ ...finding, contribution: numberOrNull, text, ...moreOfFinding }, Object.keys(moreOfFinding)),
      ),
      more: number,
      changes: list(
        object({ atMs: timeMs, kind: oneOf(...changeKinds), text }),
        'what changed shortly before the first finding, the nearest first',
      ),
      notify: object({ wakes: flag, reason: oneOf(...noticeReasons), cost: number, perWeek: numberOrNull }),
      excessBits: number,
      ...judgedParts,
    },
    ['uncertain', 'changes', 'notify', 'excessBits', ...Object.keys(judgedParts)],
  ),
  StateEvent: object(
    {
      series: seriesId,
      key: object(key),
      atMs: timeMs,
      uncertain,
      from: { type: ['string', 'null'] },
      to: text,
    },
    ['uncertain'],
  ),
  LedgerRow: object({
    epoch: epochId,
    parent: { type: ['string', 'null'] },
    start: number,
    volatile: flag,
    made: number,
    committed: number,
    quarantined: number,
    pending: number,
    lost: number,
    lostByCause: numberMap,
    duplicates: number,
    conflicts: number,
    settled: flag,
    boot: { type: ['string', 'null'] },
    firstMs: timeMsOrNull,
    lastMs: timeMsOrNull,
  }),
  LedgerTotals: object({
    epochs: integer,
    made: number,
    committed: number,
    quarantined: number,
    pending: number,
    lost: number,
    lostByCause: numberMap,
    duplicates: number,
    conflicts: number,
  }),
  LedgerCheck: object({ epochs: integer, records: integer, thinned: integer, problems: list(text) }),
  CoverageDay: object(
    {
      dayMs: timeMs,
      covered: number,
      uncertain: { ...number, description: 'of the covered minutes: those whose place in time is a guess' },
      pending: number,
      missing: number,
      missingByCause: numberMap,
      spans: list(
        object(
          {
            fromMs: timeMs,
            toMs: timeMs,
            state: oneOf('covered', 'pending', 'missing'),
            cause: oneOf(...missingCauses, null),
            uncertain,
          },
          ['uncertain'],
        ),
      ),
    },
    ['uncertain'],
  ),
  QuarantinedRecord: object({
    epoch: epochId,
    seq: integer,
    crc: integer,
    reason: text,
    timeMs,
    sizeBytes: integer,
  }),
  FullRateSeries: object({ series: seriesId, timesMs: numbers, values: numbersOrNull }),
  EvidenceSeries: object({ series: seriesId, key: object(key), timesMs: numbers, values: numbersOrNull }),
  EnrolmentToken: object({
    id: text,
    note: text,
    site: text,
    tags: textMap,
    uses: integer,
    maxUses: integer,
    expiresMs: timeMs,
    revoked: flag,
  }),
  Enrolment: object({
    agent: agentId,
    name: text,
    broker: text,
    prefix: text,
    username: text,
    password: text,
    ca: { type: ['string', 'null'], description: 'PEM of the CA to pin; null without TLS' },
    rootKey: text,
  }),
  ...alertSchemas,
  ...feedbackSchemas,
  ...configurationSchemas,
  ...keysSchemas,
  ...reportSchemas,
  ...rolloutSchemas,
  ...cohortSchemas,
  AuditEntry: object({ atMs: timeMs, actor: text, action: text, target: text, detail: text }),
  StoreStats: object({
    diskBytes: number,
    wireBytes: number,
    freeBytes: number,
    daysLeft: numberOrNull,
    agents: number,
    series: number,
    oldestMs: timeMsOrNull,
  }),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof schemas;

export const agentParams = object({ id: agentId });
export const seriesList: Schema = {
  type: 'string',
  minLength: 16,
  maxLength: limits.watchedSeries * 17,
  pattern: '^[0-9a-f]{16}(,[0-9a-f]{16})*$',
  description: 'Ids of series, separated by commas',
};
const problem = {
  description: 'What was wrong',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
};

/** The answers of a route: what it says when all is well, and the problems that it may answer with. */
export function answers(success: Schema | 'nothing', ...problems: number[]): Record<number, Schema> {
  const out: Record<number, Schema> =
    success === 'nothing'
      ? { 204: { type: 'null', description: 'Done' } }
      : { 200: { description: 'Answer', content: { 'application/json': { schema: success } } } };
  for (const status of new Set([400, 401, 500, ...problems])) out[status] = problem;
  return out;
}
