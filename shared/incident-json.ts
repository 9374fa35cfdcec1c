/** Incidents as JSON from outside: read field by field, bounded, so that nothing a device or an agent says is trusted. */
import type { Finding, Incident, RankedFinding, Severity } from './findings.ts';
import { limits } from './limits.ts';
import type { SeriesKey } from './series.ts';
import { integerOf, invalid, type JsonObject, listOf, numberOf, objectOf, textOf } from './trust/strict.ts';

const EPOCH = /^[0-9a-f]{32}$/;
const SERIES_ID = /^[0-9a-f]{16}$/;
const FINDINGS = 20;
const TEXT_CHARACTERS = 2_000;
type RuleField = 'rule' | 'limit' | 'severity' | 'wrong' | 'advice' | 'ended';
const severities: readonly Severity[] = ['info', 'warning', 'critical'];

/**
 * @param epoch epoch of the record that carries it
 * @param seq seq of that record; an incident that says 0 was opened by it
 */
export function readIncident(json: unknown, epoch: string, seq: number): Incident {
  const incident = objectOf(json, 'incident');
  const ownSeq = integerOf(incident.seq, 'incident.seq');
  const opener = ownSeq === 0;
  return {
    epoch: opener ? epoch : textOf(incident.epoch, 'incident.epoch', 32, EPOCH),
    seq: opener ? seq : ownSeq,
    revision: integerOf(incident.revision, 'incident.revision', 1),
    state: oneOf(incident.state, 'incident.state', ['open', 'closed'] as const),
    severity: oneOf(incident.severity, 'incident.severity', severities),
    openedMs: numberOf(incident.openedMs, 'incident.openedMs'),
    updatedMs: numberOf(incident.updatedMs, 'incident.updatedMs'),
    closedMs: numberOrNull(incident, 'closedMs', 'incident'),
    title: textOf(incident.title, 'incident.title', TEXT_CHARACTERS),
    findings: listOf(incident.findings, 'incident.findings', FINDINGS, readFinding),
    more: integerOf(incident.more, 'incident.more'),
  };
}

function readFinding(json: unknown, where: string): RankedFinding {
  const finding = objectOf(json, where);
  const plain: Finding = {
    series: textOf(finding.series, `${where}.series`, 16, SERIES_ID),
    key: readKey(finding.key, `${where}.key`),
    detector: textOf(finding.detector, `${where}.detector`, 64),
    tier: oneOf(finding.tier, `${where}.tier`, ['full', 'window'] as const),
    sinceMs: numberOf(finding.sinceMs, `${where}.sinceMs`),
    lastMs: numberOf(finding.lastMs, `${where}.lastMs`),
    seen: numberOrNull(finding, 'seen', where),
    expectedLow: numberOrNull(finding, 'expectedLow', where),
    expectedHigh: numberOrNull(finding, 'expectedHigh', where),
    bits: numberOf(finding.bits, `${where}.bits`, 0),
    returnPeriodMs: numberOf(finding.returnPeriodMs, `${where}.returnPeriodMs`, 0),
    ...readRule(finding, where),
  };
  return {
    ...plain,
    contribution: numberOf(finding.contribution, `${where}.contribution`, 0, 1 + 1e-9),
    text: textOf(finding.text, `${where}.text`, TEXT_CHARACTERS),
  };
}

/** What only rules and plain facts say. */
function readRule(finding: JsonObject, where: string): Pick<Finding, RuleField> {
  const { rule, limit, severity, wrong, advice, ended } = finding;
  return {
    ...(rule === undefined ? {} : { rule: textOf(rule, `${where}.rule`, 64) }),
    ...(limit === undefined ? {} : { limit: numberOf(limit, `${where}.limit`) }),
    ...(severity === undefined ? {} : { severity: oneOf(severity, `${where}.severity`, severities) }),
    ...(wrong === undefined ? {} : { wrong: textOf(wrong, `${where}.wrong`, TEXT_CHARACTERS) }),
    ...(advice === undefined ? {} : { advice: textOf(advice, `${where}.advice`, TEXT_CHARACTERS) }),
    ...(ended === true ? { ended } : {}),
  };
}

function readKey(json: unknown, where: string): SeriesKey {
  const key = objectOf(json, where);
  const attributes = Object.entries(objectOf(key.attributes, `${where}.attributes`));
  if (attributes.length > limits.attributesPerSeries) invalid(`${where}.attributes`, 'are too many');
  return {
    name: textOf(key.name, `${where}.name`, limits.seriesTextBytes),
    unit: textOf(key.unit, `${where}.unit`, limits.seriesTextBytes),
    attributes: Object.fromEntries(
      attributes.map(([name, value]) => [
        textOf(name, `${where}.attributes`, limits.seriesTextBytes),
        textOf(value, `${where}.attributes.${name.slice(0, 40)}`, limits.seriesTextBytes),
      ]),
    ),
  };
}

function numberOrNull(object: JsonObject, field: string, where: string): number | null {
  const value = object[field];
  return value === null || value === undefined ? null : numberOf(value, `${where}.${field}`);
}

function oneOf<T extends string>(value: unknown, where: string, allowed: readonly T[]): T {
  return allowed.find((name) => name === value) ?? invalid(where, `is not one of ${allowed.join(', ')}`);
}
