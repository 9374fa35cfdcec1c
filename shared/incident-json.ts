/**
 * Incidents as JSON from outside: read field by field, bounded, so that nothing a device or an agent says is trusted.
 * What was added later is optional: where it is not there it stays away, and a word of it that is not known (of a newer
 * agent) is passed over with what it stands in.
 */
import {
  type Change,
  changeKinds,
  type Finding,
  type Forecast,
  findingLimits,
  type Incident,
  type Member,
  type Notice,
  noticeReasons,
  type RankedFinding,
  severities,
  shapes,
} from './findings.ts';
import { limits } from './limits.ts';
import type { SeriesKey } from './series.ts';
import { integerOf, invalid, type JsonObject, listOf, numberOf, objectOf, textOf } from './trust/strict.ts';

const EPOCH = /^[0-9a-f]{32}$/;
const SERIES_ID = /^[0-9a-f]{16}$/;
const TEXT_CHARACTERS = findingLimits.textCharacters;

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
    findings: listOf(incident.findings, 'incident.findings', findingLimits.listed, readFinding),
    more: integerOf(incident.more, 'incident.more'),
    ...optional('changes', incident.changes, readChanges),
    ...optional('notify', incident.notify, readNotice),
    ...optional('excessBits', incident.excessBits, (bits) => numberOf(bits, 'incident.excessBits')),
  };
}

function readFinding(json: unknown, at: string): RankedFinding {
  const finding = objectOf(json, at);
  const plain: Finding = {
    series: textOf(finding.series, `${at}.series`, 16, SERIES_ID),
    key: readKey(finding.key, `${at}.key`),
    detector: textOf(finding.detector, `${at}.detector`, 64),
    tier: oneOf(finding.tier, `${at}.tier`, ['full', 'window'] as const),
    sinceMs: numberOf(finding.sinceMs, `${at}.sinceMs`),
    lastMs: numberOf(finding.lastMs, `${at}.lastMs`),
    seen: numberOrNull(finding, 'seen', at),
    expectedLow: numberOrNull(finding, 'expectedLow', at),
    expectedHigh: numberOrNull(finding, 'expectedHigh', at),
    bits: numberOf(finding.bits, `${at}.bits`, 0),
    returnPeriodMs: numberOf(finding.returnPeriodMs, `${at}.returnPeriodMs`, 0),
    ...optional('intervalMs', finding.intervalMs, (interval) => numberOf(interval, `${at}.intervalMs`, 0)),
    ...optional('shape', finding.shape, (shape) => known(shape, shapes)),
    ...optional('members', finding.members, (members) =>
      listOf(members, `${at}.members`, findingLimits.members, readMember),
    ),
    ...optional('forecast', finding.forecast, (forecast) => readForecast(forecast, `${at}.forecast`)),
    ...optional('rule', finding.rule, (rule) => textOf(rule, `${at}.rule`, findingLimits.ruleCharacters)),
    ...optional('limit', finding.limit, (limit) => numberOf(limit, `${at}.limit`)),
    ...optional('severity', finding.severity, (severity) => known(severity, severities)),
    ...optional('wrong', finding.wrong, (wrong) => textOf(wrong, `${at}.wrong`, TEXT_CHARACTERS)),
    ...optional('advice', finding.advice, (advice) => textOf(advice, `${at}.advice`, TEXT_CHARACTERS)),
    ...optional('ended', finding.ended, onlyTrue),
    ...optional('holds', finding.holds, onlyTrue),
    ...optional('muted', finding.muted, onlyTrue),
  };
  return {
    ...plain,
    contribution: numberOf(finding.contribution, `${at}.contribution`, 0, 1 + 1e-9),
    text: textOf(finding.text, `${at}.text`, TEXT_CHARACTERS),
  };
}

function readMember(json: unknown, at: string): Member {
  const member = objectOf(json, at);
  return {
    series: textOf(member.series, `${at}.series`, 16, SERIES_ID),
    key: readKey(member.key, `${at}.key`),
    share: numberOf(member.share, `${at}.share`, 0, 1 + 1e-9),
    seen: numberOrNull(member, 'seen', at),
    expectedLow: numberOrNull(member, 'expectedLow', at),
    expectedHigh: numberOrNull(member, 'expectedHigh', at),
  };
}

function readForecast(json: unknown, at: string): Forecast | undefined {
  const forecast = objectOf(json, at);
  const reaches = known(forecast.reaches, ['full', 'empty', 'expired', 'worn'] as const);
  return (
    reaches && {
      reaches,
      bound: numberOrNull(forecast, 'bound', at),
      etaMs: numberOf(forecast.etaMs, `${at}.etaMs`),
      earliestMs: numberOrNull(forecast, 'earliestMs', at),
      latestMs: numberOrNull(forecast, 'latestMs', at),
      perDay: numberOrNull(forecast, 'perDay', at),
      ...optional('pace', forecast.pace, (pace) => textOf(pace, `${at}.pace`, TEXT_CHARACTERS)),
      ...(forecast.undated === true ? { undated: true as const } : {}),
    }
  );
}

function readChanges(json: unknown): Change[] {
  return listOf(json, 'incident.changes', findingLimits.changes, (item, at) => {
    const change = objectOf(item, at);
    return {
      atMs: numberOf(change.atMs, `${at}.atMs`),
      kind: known(change.kind, changeKinds) ?? 'state',
      text: textOf(change.text, `${at}.text`, TEXT_CHARACTERS),
    };
  });
}

function readNotice(json: unknown): Notice | undefined {
  const notice = objectOf(json, 'incident.notify');
  const reason = known(notice.reason, noticeReasons);
  return (
    reason && {
      wakes: notice.wakes === true,
      reason,
      cost: numberOf(notice.cost, 'incident.notify.cost', 0),
      perWeek: numberOrNull(notice, 'perWeek', 'incident.notify'),
    }
  );
}

/** A field that may be missing: read where it is there, left out where it is not, or where `read` knows no word for it. */
function optional<K extends string, T>(
  name: K,
  value: unknown,
  read: (value: unknown) => T | undefined,
): { readonly [name in K]?: T } {
  const there = value === undefined || value === null ? undefined : read(value);
  return (there === undefined ? {} : { [name]: there }) as { readonly [name in K]?: T };
}

function onlyTrue(value: unknown): true | undefined {
  return value === true ? true : undefined;
}

function known<T extends string>(value: unknown, words: readonly T[]): T | undefined {
  return words.find((word) => word === value);
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
