/** An incident with its explanation: what is unusual, by how much, since when, and what took part. */
import { useState } from 'preact/hooks';
import type { StoredIncident } from '../../store/store.ts';
import { About, Moment, SeverityMark } from '../components/parts.tsx';
import { useNow } from '../components/ticking.ts';
import { counted, formatRange, formatShare, formatValue } from '../format.ts';
import { metricTitle, quietAttributes, valueWords } from '../metrics/titles.ts';
import { formatRarity, formatSpan } from '../time.ts';

type Finding = StoredIncident['findings'][number];

interface Props {
  readonly incident: StoredIncident;
  readonly folded: boolean;
  readonly onShow: (incident: StoredIncident) => void;
  readonly onSeries: (id: string) => void;
}

const FIRST_SHOWN = 5;
/** On a phone the explanation is a tap away, so that the charts are not. */
const NARROW_PX = 720;

export function incidentKey(incident: StoredIncident): string {
  return `${incident.epoch}-${incident.seq}`;
}

export function IncidentCard({ incident, folded, onShow, onSeries }: Props) {
  const [open, setOpen] = useState(!folded && innerWidth > NARROW_PX);
  const [all, setAll] = useState(false);
  const now = useNow(10_000);
  const findings = all ? incident.findings : incident.findings.slice(0, FIRST_SHOWN);
  const lasted = (incident.closedMs ?? now) - incident.openedMs;
  return (
    <article class={`incident ${incident.severity} ${incident.state}`} data-incident={incidentKey(incident)}>
      <header>
        <SeverityMark severity={incident.severity} />
        <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span class="incident-title">{incident.title}</span>
        </button>
        <span class="when">
          {incident.state === 'open' ? 'open' : 'closed'}, since {incident.uncertain && <About />}
          <Moment ms={incident.openedMs} />, {formatSpan(lasted)}
        </span>
        <button type="button" onClick={() => onShow(incident)}>
          Show on charts
        </button>
      </header>
      {open && (
        <ol class="findings">
          {findings.map((finding) => (
            <FindingRow key={`${finding.series} ${finding.detector}`} finding={finding} onSeries={onSeries} />
          ))}
        </ol>
      )}
      {open && (incident.findings.length > findings.length || incident.more > 0) && (
        <p class="more-findings">
          {incident.findings.length > findings.length && (
            <button type="button" class="link" onClick={() => setAll(true)}>
              Show {incident.findings.length - findings.length} more
            </button>
          )}
          {incident.more > 0 && <span class="faint"> {counted(incident.more, 'weaker finding')} left out</span>}
        </p>
      )}
    </article>
  );
}

function FindingRow({ finding, onSeries }: { readonly finding: Finding; readonly onSeries: (id: string) => void }) {
  const { key, seen, expectedLow, expectedHigh } = finding;
  return (
    <li>
      <button type="button" class="finding-name" title={finding.text} onClick={() => onSeries(finding.series)}>
        {nameOf(key)}
      </button>
      <span class="seen">
        {finding.detector === 'missing' ? 'no value' : formatValue(seen, key.unit)}
        {finding.detector === 'stuck' && ' stuck'}
        {finding.detector === 'saturated' && ' at the limit'}
      </span>
      <span class="wanted">
        {expectedLow !== null &&
          expectedHigh !== null &&
          `expected ${formatRange(expectedLow, expectedHigh, key.unit)}`}
      </span>
      <span class="share" title={`explains ${formatShare(finding.contribution)} of it`}>
        <span class="track" aria-hidden="true">
          <i style={{ width: `${Math.round(Math.min(1, finding.contribution) * 100)}%` }} />
        </span>
        <span class="number">{formatShare(finding.contribution)}</span>
      </span>
      <span class="since">
        since <Moment ms={finding.sinceMs} />
        {finding.lastMs > finding.sinceMs && `, ${formatSpan(finding.lastMs - finding.sinceMs)}`}
      </span>
      <span class="rarity">{formatRarity(finding.returnPeriodMs)}</span>
    </li>
  );
}

/** `Throughput: read, vda`: the chart's title and what tells this line from others. */
function nameOf(key: Finding['key']): string {
  const title = metricTitle(key.name);
  const values = Object.entries(key.attributes)
    .filter(([name]) => !quietAttributes.has(name))
    .map(([name, value]) => (name === 'cpu.logical_number' ? `core ${value}` : (valueWords[value] ?? value)));
  return values.length === 0 ? title : `${title}: ${values.join(', ')}`;
}
