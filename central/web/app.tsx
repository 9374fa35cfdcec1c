/** The whole: who is logged in decides what is shown, the address decides which page. */
import { useEffect, useState } from 'preact/hooks';
import { resume, session, wordsOf } from './api.ts';
import { useCell } from './cell.ts';
import { Failure, Skeleton } from './components/parts.tsx';
import { Shell } from './components/shell.tsx';
import { type Fleet, openFleet } from './fleet.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { CohortsPage } from './pages/cohorts.tsx';
import { ConfigurationPage } from './pages/configuration.tsx';
import { EnrolPage } from './pages/enrol.tsx';
import { FleetPage } from './pages/fleet.tsx';
import { LoginPage } from './pages/login.tsx';
import { ModelReportPage } from './pages/model-report.tsx';
import { ModelsPage } from './pages/models.tsx';
import { followLinks, place } from './router.ts';

const RETRY_MS = 2_000;

type MachinePage = typeof import('./pages/machine.tsx').MachinePage;
let machinePage: MachinePage | null = null;

/** The page of a machine brings the charts with it: it is loaded while the fleet is looked at. */
async function loadMachinePage(): Promise<MachinePage> {
  machinePage ??= (await import('./pages/machine.tsx')).MachinePage;
  return machinePage;
}

export function App() {
  const who = useCell(session);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    let timer = 0;
    const ask = (): void => {
      resume().then(
        () => setTrouble(''),
        (error: unknown) => {
          setTrouble(wordsOf(error));
          timer = window.setTimeout(ask, RETRY_MS);
        },
      );
    };
    ask();
    document.addEventListener('click', followLinks);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('click', followLinks);
    };
  }, []);
  if (who === undefined) {
    return (
      <main class="waiting" aria-busy="true">
        {trouble !== '' && <p role="alert">{trouble} Trying again…</p>}
      </main>
    );
  }
  return who === null ? <LoginPage /> : <LoggedIn user={who.user} />;
}

function LoggedIn({ user }: { readonly user: string }) {
  const [fleet, setFleet] = useState<Fleet | null>(null);
  useEffect(() => {
    const opened = openFleet();
    setFleet(opened);
    void loadMachinePage().catch(() => undefined);
    return () => opened.end();
  }, []);
  if (fleet === null) return null;
  return (
    <Shell user={user} fleet={fleet}>
      <Page fleet={fleet} />
    </Shell>
  );
}

function Machine(props: Parameters<MachinePage>[0]) {
  const [Loaded, setLoaded] = useState<MachinePage | null>(() => machinePage);
  const [trouble, setTrouble] = useState<unknown>(null);
  const load = (): void => {
    loadMachinePage().then((page) => setLoaded(() => page), setTrouble);
  };
  useEffect(load, []);
  if (Loaded !== null) return <Loaded {...props} />;
  // A page that was open while the central was renewed asks for a file that is no more.
  if (trouble !== null) return <Failure error={new Error('These pages are old.')} onRetry={() => location.reload()} />;
  return <Skeleton lines={10} label="Loading the machine" />;
}

function Page({ fleet }: { readonly fleet: Fleet }) {
  const { path } = useCell(place);
  const machine = /^\/machine\/([A-Za-z0-9_-]{1,64})(?:\/([a-z]+))?$/.exec(path);
  if (machine !== null) return <Machine key={machine[1]} id={machine[1]!} tab={machine[2] ?? ''} fleet={fleet} />;
  if (path === '/add') return <EnrolPage fleet={fleet} />;
  if (path === '/alerts') return <AlertsPage />;
  const model = /^\/models\/([1-9]\d{0,9})$/.exec(path);
  if (model !== null) return <ModelReportPage key={model[1]} version={Number(model[1])} />;
  if (path === '/models') return <ModelsPage />;
  if (path === '/cohorts') return <CohortsPage />;
  const layer = /^\/configuration(?:\/(all|(?:cohort|agent)\/[A-Za-z0-9_-]{1,64}))?$/.exec(path);
  if (layer !== null) return <ConfigurationPage scope={(layer[1] ?? '').replace('/', ':')} />;
  if (path === '/') return <FleetPage fleet={fleet} />;
  return (
    <div class="blank">
      <h1>There is no page here</h1>
      <p>
        Nothing is at <code>{path}</code>. <a href="/">Back to the fleet</a>
      </p>
    </div>
  );
}
