/** An incident with its explanation: what is unusual, by how much, since when, and what took part. */
import { useState } from 'preact/hooks';
import type { ShownIncident } from '../../feedback/api.ts';
import type { StoredIncident } from '../../store/store.ts';
import { About, Moment, SeverityMark } from '../components/parts.tsx';
import { useNow } from '../components/ticking.ts';
import { counted } from '../format.ts';
import { formatSpan } from '../time.ts';
import { ChangesBefore, NoticeLine } from './incident-about.tsx';
import { FindingRow } from './incident-finding.tsx';
import { LabelLine } from './incident-label.tsx';

interface Props {
  readonly incident: ShownIncident;
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
  const began = incident.findings.map(({ sinceMs }) => sinceMs);
  const firstMs = began.length === 0 ? incident.openedMs : Math.min(...began);
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
            <FindingRow
              key={`${finding.series} ${finding.detector} ${finding.tier} ${finding.rule ?? ''}`}
              finding={finding}
              firstMs={firstMs}
              onSeries={onSeries}
            />
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
      {open && <ChangesBefore changes={incident.changes ?? []} firstMs={firstMs} />}
      {open && incident.notify !== undefined && incident.maintenance === undefined && (
        <NoticeLine notice={incident.notify} />
      )}
      {open && <LabelLine incident={incident} />}
    </article>
  );
}
