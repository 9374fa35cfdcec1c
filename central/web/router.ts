/** Which page is shown: the path of the address. Ranges and filters are in its query, so that a view can be sent on. */
import { cell } from './cell.ts';

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = cell<Place>(read());

addEventListener('popstate', () => place.set(read()));

export function go(to: string): void {
  if (to === location.pathname + location.search) return;
  const samePath = new URL(to, location.href).pathname === location.pathname;
  history.pushState(null, '', to);
  place.set(read());
  if (!samePath) scrollTo(0, 0);
}

/** Changes the query in place; null takes a name out. */
export function refine(change: Readonly<Record<string, string | null>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, '', location.pathname + (text === '' ? '' : `?${text}`));
  place.set(read());
}

/** Links of the page itself are followed without loading it anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (link == null || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
