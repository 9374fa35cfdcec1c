/** Times of what the store files, when it is dated: pure. */
import type { Forecast, Incident, StateEvent } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';

/** A window that ends this close to a full minute ends on it: offsets are fitted to some milliseconds only. */
const SNAP_MS = 2_000;

export function snapped(timeMs: number): number {
  const minute = Math.round(timeMs / MINUTE_MS) * MINUTE_MS;
  return Math.abs(timeMs - minute) <= SNAP_MS ? minute : timeMs;
}

/** All times of an incident moved by as much, and whether they are certain. */
export function movedIncident(incident: Incident, byMs: number, dated: boolean): Incident {
  const { uncertain: _before, ...rest } = incident;
  const moved = (ms: number): number => Math.max(0, ms + byMs);
  return {
    ...rest,
    ...(dated ? {} : { uncertain: true }),
    openedMs: moved(incident.openedMs),
    updatedMs: moved(incident.updatedMs),
    closedMs: incident.closedMs === null ? null : moved(incident.closedMs),
    findings: incident.findings.map((finding) => ({
      ...finding,
      sinceMs: moved(finding.sinceMs),
      lastMs: moved(finding.lastMs),
      ...(finding.forecast === undefined ? {} : { forecast: movedForecast(finding.forecast, moved) }),
    })),
    ...(incident.changes === undefined
      ? {}
      : { changes: incident.changes.map((change) => ({ ...change, atMs: moved(change.atMs) })) }),
  };
}

function movedForecast(forecast: Forecast, moved: (ms: number) => number): Forecast {
  const movedOrNull = (ms: number | null): number | null => (ms === null ? null : moved(ms));
  const { etaMs, earliestMs, latestMs } = forecast;
  return {
    ...forecast,
    etaMs: moved(etaMs),
    earliestMs: movedOrNull(earliestMs),
    latestMs: movedOrNull(latestMs),
  };
}

export function movedEvent(event: StateEvent, byMs: number, dated: boolean): StateEvent {
  const { uncertain: _before, ...rest } = event;
  return { ...rest, ...(dated ? {} : { uncertain: true }), atMs: Math.max(0, event.atMs + byMs) };
}
