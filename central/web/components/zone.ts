/** The zone that times are shown in, by the viewer's choice. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useCell } from '../cell.ts';
import { preferences, type ZoneChoice } from '../preferences.ts';

const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** Zone of the site whose machine is looked at; null where it is not known. */
export const SiteZone = createContext<string | null>(null);

export function zoneFor(choice: ZoneChoice, site: string | null): string {
  if (choice === 'utc') return 'UTC';
  return choice === 'site' ? (site ?? viewerZone) : viewerZone;
}

export function useZone(): string {
  const { zone } = useCell(preferences);
  return zoneFor(zone, useContext(SiteZone));
}
