/**
 * How grave an incident is: by how rare it is, what is at stake, how much of the machine takes part and how long it has
 * lasted; a rule or a forecast says it itself. Pure.
 */
import { categoryOf, type Finding, type Severity, severities } from '../../shared/findings.ts';
import { resourceOf, stakeOf } from './stakes.ts';

/** Bits above the bar from which on a finding is a warning, and is critical if it lasts. */
const WARNING_BITS = 5;
const CRITICAL_BITS = 12;
const CRITICAL_AFTER_MS = 120_000;
/** So many resources at once make curious things a warning, too. */
const WIDE_RESOURCES = 4;

export function gravest(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}

/** Of one finding by itself, in an incident that has lasted as long. */
export function severityOfFinding(finding: Finding, barBits: number, lastedMs: number): Severity {
  if (finding.severity !== undefined) return finding.severity;
  const stake = stakeOf(finding.key);
  const category = categoryOf(finding.detector);
  if (category !== 'statistical') return stake === 'own' || stake === 'curious' ? 'info' : 'warning';
  const above = finding.bits - barBits;
  if (stake === 'own') return 'info';
  if (stake === 'curious') return above >= CRITICAL_BITS && lastedMs >= CRITICAL_AFTER_MS ? 'warning' : 'info';
  if (above >= CRITICAL_BITS && lastedMs >= CRITICAL_AFTER_MS) return stake === 'vital' ? 'critical' : 'warning';
  // What people run out of is a warning sooner.
  if (above >= (stake === 'vital' ? WARNING_BITS / 2 : WARNING_BITS)) return 'warning';
  // Told by a record of its own, with bits that are held against no bar.
  return finding.detector === 'saturated' ? 'warning' : 'info';
}

/** Of the whole: the gravest of its findings; a wide and rare one that lasts is critical whatever it is about. */
export function severityOf(findings: Iterable<Finding>, barBits: number, lastedMs: number): Severity {
  let severity: Severity = 'info';
  let mostAbove = 0;
  const resources = new Set<string>();
  for (const finding of findings) {
    severity = gravest(severity, severityOfFinding(finding, barBits, lastedMs));
    const above = finding.bits - barBits;
    if (stakeOf(finding.key) === 'own' || categoryOf(finding.detector) !== 'statistical') continue;
    mostAbove = Math.max(mostAbove, above);
    if (above >= 0) resources.add(resourceOf(finding.key));
  }
  if (resources.size < WIDE_RESOURCES) return severity;
  const critical = mostAbove >= CRITICAL_BITS && lastedMs >= CRITICAL_AFTER_MS;
  return gravest(severity, critical ? 'critical' : mostAbove >= WARNING_BITS ? 'warning' : 'info');
}
