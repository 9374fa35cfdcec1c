/** What the viewer chose, kept in this browser: theme and zone of times. */
import { cell } from './cell.ts';

export type Theme = 'system' | 'light' | 'dark';
/** Whose zone times are shown in. */
export type ZoneChoice = 'viewer' | 'site' | 'utc';

export interface Preferences {
  readonly theme: Theme;
  readonly zone: ZoneChoice;
}

const KEY = 'picket.preferences';
const themes: readonly Theme[] = ['system', 'light', 'dark'];
const zones: readonly ZoneChoice[] = ['viewer', 'site', 'utc'];

function stored(): Preferences {
  let found: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? '{}') as typeof found;
  } catch {
    // Without storage, or with what is not ours in it: the defaults.
  }
  return {
    theme: themes.find((theme) => theme === found.theme) ?? 'system',
    zone: zones.find((zone) => zone === found.zone) ?? 'viewer',
  };
}

export const preferences = cell<Preferences>(stored());

export function prefer(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change };
  preferences.set(next);
  if (next.theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next.theme;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // It holds until the page is closed.
  }
}

/** The theme that is seen now. */
export function shownTheme(): 'light' | 'dark' {
  const { theme } = preferences.get();
  if (theme !== 'system') return theme;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function toggleTheme(): void {
  prefer({ theme: shownTheme() === 'dark' ? 'light' : 'dark' });
}

/** Calls the listener when the seen theme may have changed, by choice or by the system. */
export function onTheme(listener: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', listener);
  const end = preferences.subscribe(listener);
  return () => {
    media.removeEventListener('change', listener);
    end();
  };
}
