/** What is around every page: the bar, the banner when the central is gone, the keys. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { logOut, reachable } from '../api.ts';
import { useCell } from '../cell.ts';
import type { Fleet } from '../fleet.ts';
import { type Preferences, prefer, preferences, toggleTheme, type ZoneChoice } from '../preferences.ts';
import { place } from '../router.ts';
import { Help } from './help.tsx';
import { installKeys } from './keys.ts';
import { Mark } from './mark.tsx';

const zoneLabels: Readonly<Record<ZoneChoice, string>> = { viewer: 'My time', site: "Site's time", utc: 'UTC' };

interface Props {
  readonly user: string;
  readonly fleet: Fleet;
  readonly children: ComponentChildren;
}

export function Shell({ user, fleet, children }: Props) {
  const [help, setHelp] = useState(false);
  useEffect(() => installKeys({ onHelp: () => setHelp(true) }), []);
  return (
    <>
      <a class="skip" href="#content">
        To the content
      </a>
      <Bar user={user} fleet={fleet} onHelp={() => setHelp(true)} />
      <Banner />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

function Bar({ user, fleet, onHelp }: { readonly user: string; readonly fleet: Fleet; readonly onHelp: () => void }) {
  const { path } = useCell(place);
  const incidents = useCell(fleet.incidents);
  const { zone } = useCell(preferences) satisfies Preferences;
  const open = incidents?.length ?? 0;
  const at = (target: string): 'page' | undefined => (path === target ? 'page' : undefined);
  return (
    <header class="bar">
      <a class="home" href="/" aria-label="Picket: the fleet">
        <Mark />
        <span class="wide-only">Picket</span>
      </a>
      <nav aria-label="Pages">
        <a href="/" aria-current={at('/')}>
          Fleet
          {open > 0 && <span class="badge">{open}</span>}
        </a>
        <a href="/alerts" aria-current={at('/alerts')}>
          Alerts
        </a>
        <a href="/models" aria-current={at('/models')}>
          Models
        </a>
        <a href="/cohorts" aria-current={at('/cohorts')}>
          Cohorts
        </a>
        <a href="/configuration" aria-current={at('/configuration')}>
          Config<span class="wide-only">uration</span>
        </a>
        <a href="/add" aria-current={at('/add')}>
          <span>
            Add<span class="wide-only"> a machine</span>
          </span>
        </a>
      </nav>
      <span class="spacer" />
      <label class="zone">
        <span class="hidden">Times in</span>
        <select
          value={zone}
          onChange={(event) => prefer({ zone: event.currentTarget.value as ZoneChoice })}
          title="Whose time is shown"
        >
          {Object.entries(zoneLabels).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="icon" onClick={toggleTheme} aria-label="Light or dark" title="Light or dark (t)">
        <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
          <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2" />
          <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />
        </svg>
      </button>
      <button type="button" class="icon wide-only" onClick={onHelp} aria-label="Keys" title="Keys (?)">
        ?
      </button>
      <Account user={user} />
    </header>
  );
}

function Account({ user }: { readonly user: string }) {
  return (
    <button type="button" class="quiet" onClick={() => void logOut()} title={`Log out ${user}`}>
      Log out
    </button>
  );
}

function Banner() {
  const there = useCell(reachable);
  const was = useRef(true);
  const [back, setBack] = useState(false);
  useEffect(() => {
    const returned = there && !was.current;
    was.current = there;
    if (!returned) return;
    setBack(true);
    const timer = setTimeout(() => setBack(false), 3_000);
    return () => clearTimeout(timer);
  }, [there]);
  if (!there) {
    return (
      <p class="banner lost" role="alert">
        <span class="spinner" aria-hidden="true" /> The central cannot be reached. What you see is as it was; trying
        again…
      </p>
    );
  }
  return back ? (
    <p class="banner back" role="status">
      The central is back.
    </p>
  ) : null;
}
