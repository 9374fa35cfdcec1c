/** Keys that hold on every page. Lists mark their entries with `data-row`, search fields with `data-search`. */
import { toggleTheme } from '../preferences.ts';
import { go } from '../router.ts';

export interface KeyActions {
  readonly onHelp: () => void;
}

const LEADER_MS = 1_200;

export function installKeys({ onHelp }: KeyActions): () => void {
  let leaderAtMs = 0;
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement | null;
    const writing = target?.matches('input, textarea, select, [contenteditable]') === true;
    if (event.key === 'Escape') {
      if (writing) target?.blur();
      return;
    }
    if (writing) return;
    const afterG = event.timeStamp - leaderAtMs < LEADER_MS;
    leaderAtMs = 0;
    if (afterG && event.key === 'f') go('/');
    else if (afterG && event.key === 'a') go('/add');
    else if (afterG && event.key === 'n') go('/alerts');
    else if (event.key === 'g') leaderAtMs = event.timeStamp;
    else if (event.key === 't') toggleTheme();
    else if (event.key === '?') onHelp();
    else if (event.key === '/') {
      const field = document.querySelector<HTMLInputElement>('[data-search]');
      if (field === null) return;
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

/** Moves the focus to the next or previous entry; on a page of charts, to the next section. */
function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: next.matches('a, tr') ? 'nearest' : 'start' });
}
